/** The files of `deploy/`: nginx and Caddy with TLS in front of a relay, the unit of systemd, and the container's files against the sources. */
import { test } from "#runner";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { parse } from "../../src/config/yaml.ts";
import { load } from "../../src/config/load.ts";
import { check } from "../harness/check.ts";
import { find, ROOT } from "../harness/machine.ts";
import type { Need } from "../harness/suites.ts";
import { RelayProcess } from "../harness/relay.ts";
import { freePort } from "../unit/storage/backends.ts";

const HOST = "relay.example";
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const analyze = find("systemd-analyze");

/** `deploy/nginx.conf` with another port, certificate and web port. */
function nginxConfiguration(folder: string, { port, web }: { readonly port: number; readonly web: string }): string {
  const server = read("deploy/nginx.conf")
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("http://127.0.0.1:8766", web)
    .replaceAll("/etc/ssl/relay.example", folder)
    .replace("/var/log/nginx", folder);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) =>
    `${kind}_temp_path ${folder}/${kind};`
  );
  return `pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {} http { ${temporary.join(" ")}\n${server} }`;
}

/** Waits until a TLS handshake with the proxy succeeds. */
async function acceptsTls(port: number): Promise<void> {
  const options = { port, host: "127.0.0.1", servername: HOST, rejectUnauthorized: false };
  for (let tries = 0; tries < 200; tries++) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect(options, () => resolve(true)).on("error", () => resolve(false));
    const isOpen = await promise;
    socket.destroy();
    if (isOpen) return;
    await Bun.sleep(50);
  }
  throw new Error(`nothing accepts TLS on port ${port}`);
}

/** The status line of a request for an upgrade. */
function upgradeStatus(port: number, path: string, host = HOST): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername: HOST, rejectUnauthorized: false });
    socket.on("error", reject);
    socket.on("data", (data) => {
      resolve(/^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1] ?? String(data));
      socket.destroy();
    });
    const headers = [
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==",
    ];
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers.join("\r\n")}\r\n\r\n`);
  });
}

/** `deploy/Caddyfile` with another port and web port, and with a certificate of its own authority. */
function caddyConfiguration(folder: string, { port, web }: { readonly port: number; readonly web: string }): string {
  const site = read("deploy/Caddyfile")
    .replace(`${HOST} {`, `https://${HOST}:${port} {`)
    .replace("127.0.0.1:8766", new URL(web).host);
  const options = ["admin off", "local_certs", "skip_install_trust", "auto_https disable_redirects"];
  return `{\n${[...options, `storage file_system ${folder}/storage`].join("\n")}\n}\n${site}`;
}

interface Proxy {
  readonly need: Need;
  configuration(folder: string, ports: { readonly port: number; readonly web: string }): string;
  /** The words after the program that start it in the foreground. */
  words(folder: string, file: string): readonly string[];
}

const PROXIES: readonly Proxy[] = [
  {
    need: "nginx",
    configuration: nginxConfiguration,
    words: (folder, file) => ["-p", folder, "-c", file, "-g", "daemon off;"],
  },
  {
    need: "caddy",
    configuration: caddyConfiguration,
    words: (_, file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
];

for (const { need, configuration, words } of PROXIES) {
  const program = find(need);
  if (program === undefined) continue;
  test(`DP1 behind ${need} with TLS, games and programs connect with their tokens, and the log shows none`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "neuro-relay-proxy-"));
    const tokens = ["intermediary.auth_token=own", "nakurity-backend.token=game-token", "brain.token=brain-token"];
    const web = ["web.enabled=true", "web.port=0", `web.hosts=[${HOST}]`, "web.trusted_proxies=[127.0.0.1]"];
    const relay = await RelayProcess.start(folder, [...tokens, ...web, "brain.enabled=true", "brain.port=0"]);
    const port = await freePort();
    const subject = ["-subj", `/CN=${HOST}`, "-keyout", `${folder}/privkey.pem`, "-out", `${folder}/fullchain.pem`];
    spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...subject]);
    const file = join(folder, "proxy.conf");
    writeFileSync(file, configuration(folder, { port, web: new URL(relay.urls.web).origin }));
    const output = openSync(join(folder, "output.log"), "w");
    // Why: Caddy also keeps files in the home directory.
    const proxy = spawn(program, words(folder, file), {
      stdio: ["ignore", output, output],
      env: { ...process.env, HOME: folder },
    });
    try {
      await acceptsTls(port);
      const statuses = await Promise.all([
        upgradeStatus(port, "/neuro/t/game-token"),
        upgradeStatus(port, "/neuro?token=wrong"),
        upgradeStatus(port, "/brain?token=brain-token"),
        upgradeStatus(port, "/intermediary"),
      ]);
      check.equal(statuses, ["101", "401", "101", "101"]);
      const page = await fetch(`https://127.0.0.1:${port}/`, {
        headers: { host: HOST },
        tls: { rejectUnauthorized: false, serverName: HOST },
      });
      check.equal([page.status, (await page.text()).includes("<title>")], [200, true]);
      const logs = readdirSync(folder).filter((name) => name.endsWith(".log"));
      check.equal(logs.filter((name) => readFileSync(join(folder, name), "utf8").includes("game-token")), []);
    } finally {
      proxy.kill();
      closeSync(output);
      await relay.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, { timeoutMs: 60_000 });
}

if (analyze !== undefined) {
  test("DP2 systemd accepts the unit", () => {
    const folder = mkdtempSync(join(tmpdir(), "neuro-relay-unit-"));
    const unit = join(folder, "neuro-relay.service");
    writeFileSync(unit, read("deploy/neuro-relay.service").replaceAll("/usr/local/bin/neuro-relay", "/bin/true"));
    const { stdout, stderr } = spawnSync(analyze, ["verify", unit], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    check.equal((stdout + stderr).split("\n").filter((line) => line.includes("neuro-relay")), []);
  });
}

test("DP3 the compose file sets only settings that exist, with a token for each listener that it opens", () => {
  const { services, secrets, volumes } = parse(read("deploy/compose.yaml"));
  const loaded = load({ environment: services.relay.environment, readSecret: (path) => `token of ${path}` });
  check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
  check.equal(loaded.warnings, []);
  check.equal(Object.keys(secrets).sort(), [...services.relay.secrets].sort());
  check.equal(Object.keys(volumes).sort(), ["redis", "relay"]);
});

test("DP3b each node of the compose file of a cluster sets only settings that exist, with the same tokens and a name of its own", () => {
  const { services, secrets } = parse(read("deploy/compose-cluster.yaml"), { merge: true });
  const nodes = ["a", "b", "c"].map((name) => {
    const { environment } = services[name];
    const loaded = load({ environment, readSecret: (path) => `token of ${path}, long enough for nodes` });
    check.that(loaded.ok, loaded.ok ? "" : loaded.errors.join("\n"));
    check.equal(loaded.warnings, []);
    check.equal(Object.keys(secrets).sort(), [...services[name].secrets].sort());
    return loaded.settings.cluster;
  });
  check.equal(nodes.map(({ enabled, node, advertise }) => [enabled, node, advertise]), [
    [true, "a", "a:8768"],
    [true, "b", "b:8768"],
    [true, "c", "c:8768"],
  ]);
});

test("DP4 the Dockerfile copies what exists, and uses the version of Bun that the tests use", () => {
  const lines = read("deploy/Dockerfile").split("\n");
  const copied = lines.filter((line) => line.startsWith("COPY")).flatMap((line) => line.split(" ").slice(1, -1));
  check.equal(copied.filter((path) => !existsSync(join(ROOT, path))), []);
  const [, version] = /bun@([\d.]+)/.exec(read(".ci/run")) ?? [];
  check.that(lines.includes(`FROM oven/bun:${version}-slim`));
});
