/** YAML; the only file that imports its package. Why not `@std/yaml`: it is not on npm, from where every runtime gets its packages. */
export { isMap, isNode, isScalar, LineCounter, parse, parseDocument, stringify } from "yaml";
