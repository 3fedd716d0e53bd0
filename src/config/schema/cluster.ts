/** Settings of a cluster: several nodes that serve the same relays. */
import type { z } from "zod/mini";
import { DEFAULTS } from "../../core/defaults.ts";
import type { ClusterSettings } from "../../core/settings.ts";
import { block, duration, flag, host, itemOfForm, list, port, text, url } from "../setting.ts";

const c = DEFAULTS.cluster;
export const cluster: z.ZodMiniType<ClusterSettings> = block<ClusterSettings>(
  "Several nodes with one Redis that serve the same relays: a client reaches every relay at every node, and a relay moves to another node when its " +
    "own one is lost. All nodes have the same settings, except `node`, `host` and `advertise`. Bun and Deno only.",
  c,
  () => ({
    enabled: flag(
      "The process is a node of a cluster. Entries and uploads are then in Redis, whatever `queue.backend` is.",
      {
        default: c.enabled,
        restart: true,
      },
    ),
    url: url("The Redis server of all nodes, 6.2 or later, or Valkey. Needs the package `ioredis`.", {
      default: c.url,
      restart: true,
      example: "redis://127.0.0.1:6379",
    }),
    sentinels: list(
      "Sentinels of Redis, each as `host:port`: the nodes ask them for the present master, and follow a failover. " +
        "User, password and database of `url` then are those of the master. Read at the start.",
      {
        item: itemOfForm({ fits: (text) => /^(?:\[[\da-fA-F:.]+\]|[^\s:/@]+):\d{1,5}$/.test(text), expected: "host:port" }),
        type: "addresses",
      },
    ),
    sentinel_master: text("The name of the master among the sentinels.", { default: c.sentinel_master, restart: true }),
    prefix: text("The beginning of every key in Redis. Clusters with different prefixes can share a server.", {
      default: c.prefix,
      restart: true,
    }),
    node: text("The name of this node, different for each. By default the name of the host.", {
      default: c.node,
      restart: true,
    }),
    host: host(c.host),
    port: port(c.port),
    advertise: text(
      "Where the other nodes reach this one, as `host:port`. By default the address of this machine towards Redis, and `cluster.port`.",
      { default: c.advertise, restart: true },
    ),
    secret: text("The secret that the nodes share, of at least 32 characters. Clients never use it.", {
      default: c.secret,
      restart: true,
      secret: true,
    }),
    lease: duration(
      "A node that cannot renew its lease for this time has lost its relays to the others. A node that is lost is noticed after 0.8 to 1.2 of it.",
      { default: c.lease, min: 1_000, max: 60_000, restart: true },
    ),
    patience: duration("A client is closed (1012) when no node has owned its relay for this time.", {
      default: c.patience,
      min: 1_000,
    }),
    rebalance: flag(
      "A relay moves to the node that is first for it, when that has been a member for 15 leases, and in a moment without pending actions and " +
        "forces. Each move costs its upstream a reconnect.",
      { default: c.rebalance },
    ),
  }),
);
