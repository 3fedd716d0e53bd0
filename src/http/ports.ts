/** What the web app needs: ports from the process, and a context from the runtime with every request. */
import type { CredentialDigest } from "../core/access.ts";
import type { ConnectionInfo } from "../core/event.ts";
import type { Millis } from "../core/ids.ts";
import type { Observation } from "../core/observation.ts";
import type { Done, Principal, ReplyTo, ServiceRequest } from "../core/request.ts";
import type { ListenerName, ServiceName } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import type { IssuedTokenView, LinkView, NodeView, RelayView, TokenRequest, TokenView } from "../core/view.ts";
import type { RequestResult } from "../engine/mod.ts";
import type { AccessControl } from "./access-control.ts";

/** Where a request arrived. Workers have only `web`: one origin for everything. */
export type PortName = ListenerName | "web";

/** What an upgrade opens: a socket of a listener, of a link, or of the voice stub. The services do not see the last two. */
export type UpgradeTarget = ListenerName | "voice" | LinkTarget;

/** The link of this name: a program that brings a connection to Neuro along. */
export interface LinkTarget {
  readonly link: string;
}

/** The metrics, and the content type of their format. */
export interface MetricsText {
  readonly text: string;
  readonly type: string;
}

/** The process, as the web app sees it. */
export interface WebPorts {
  readonly version: string;
  uptimeMs(): number;
  /** The current settings. */
  settings(): Settings;
  /** The access control for the current settings. */
  accessControl(): AccessControl;
  /** The services of this relay. */
  readonly services: readonly ServiceName[];
  request<R extends ServiceRequest>(request: R, principal: Principal): Promise<RequestResult<ReplyTo<R>>>;
  observe(observation: Observation): void;
  /** The metrics, in the text format that this `Accept` asks for. */
  metrics(accept: string | undefined): Promise<MetricsText>;
  /** The number of frames of all listeners, in both directions. */
  frames(): number;
  /** The bytes of an upload; undefined if it does not exist. */
  readUpload(file: string): Promise<Uint8Array | undefined>;
  /** Every configured token, without the token itself. */
  tokens(): readonly TokenView[];
  /** Closes the peers of a token, and refuses it from now on. */
  revokeToken(id: string): Promise<RequestResult<Done>>;
  /** A new token, which is shown this once. */
  issueToken(request: TokenRequest, principal: Principal): Promise<RequestResult<IssuedTokenView>>;
  /** A new token in place of another one, which stays valid for the overlap. */
  rotateToken(id: string, overlap: Millis, principal: Principal): Promise<RequestResult<IssuedTokenView>>;
  /** The programs that are linked. */
  links(): readonly LinkView[];
  /** All relays of the process, or of the cluster, in the order of their names. */
  relays(): Promise<readonly RelayView[]>;
  /** The nodes of the cluster, in the order of their names; none without a cluster. */
  nodes(): Promise<readonly NodeView[]>;
  /** Why other relays of this process are not ready. */
  otherReasons(): Promise<readonly string[]>;
  /** True during shutdown. */
  isDraining(): boolean;
  /** Listeners that the runtime has ended, and that are not open again yet. */
  lostListeners(): readonly PortName[];
}

/** What a relay shows of the process or the cluster around it. */
export type Surroundings = Pick<WebPorts, "relays" | "nodes">;

/** The runtime's data about one request. Passed to the app as Hono's `env`. */
export interface RequestContext {
  readonly listener: PortName;
  /** The address of the other end of the connection, which can be a proxy. */
  readonly address: string;
  /** The router in front of the app has already checked the host name. */
  readonly isHostVerified?: boolean;
  /** The prefix that was removed from the path: `/r/<name>` if one origin serves several relays. */
  readonly basePath?: string;
  /** The platform compresses responses itself. */
  readonly compresses?: boolean;
  /** Lets this request take as long as it needs; undefined on runtimes without a timeout. */
  disableTimeout?(): void;
  /** Upgrades the connection to a socket; undefined if the request is not a valid upgrade. `presented` is the client's token. */
  upgrade(target: UpgradeTarget, connection: ConnectionInfo, presented: CredentialDigest): Response | undefined;
}
