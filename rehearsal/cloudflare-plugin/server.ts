/**
 * gRPC server of the plugin protocol. The SDK's own server for plugins does not pass on the provider's configuration, the
 * inputs of a refresh, or whether a call is a preview.
 */
import grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { Client, refusal } from "./client.ts";
import { lookUp } from "./lookups.ts";
import { diffOf, failureOf, structOf, typeOf, valuesOf } from "./messages.ts";
import type { Failure } from "./plan.ts";
import type { CloudflareProvider } from "./provider.ts";
import { clean, unknown, type Values } from "./values.ts";

export interface ServerOptions {
  readonly provider: CloudflareProvider;
  /** Version of the official plugin that this one replaces. */
  readonly version: string;
  /** Values from environment variables, used when the program configures none. */
  readonly environment: { readonly token: string | undefined; readonly baseUrl: string | undefined };
}

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

/** Starts the server. @returns its loopback port */
export async function serve(options: ServerOptions): Promise<number> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": 1 << 28 });
  server.addService(service.ResourceProviderService, handlers(options));
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}

function handlers({ provider, version, environment }: ServerOptions): grpc.UntypedServiceImplementation {
  const connection = new Connection(environment);
  return {
    ...infoHandlers(version),
    ...configHandlers(connection),
    ...checkHandlers(provider),
    ...resourceHandlers(provider, connection),
  };
}

/** The provider's configuration, and the client that it results in. */
class Connection {
  readonly #environment: ServerOptions["environment"];
  #client: Client | undefined;

  constructor(environment: ServerOptions["environment"]) {
    this.#environment = environment;
  }

  settings(values: Values): { readonly token: string; readonly baseUrl: string } {
    return {
      token: text(values["apiToken"]) ?? this.#environment.token ?? "",
      baseUrl: text(values["baseUrl"]) ?? this.#environment.baseUrl ?? "",
    };
  }

  configure(values: Values): void {
    const { token, baseUrl } = this.settings(values);
    this.#client = token === unknown || baseUrl === unknown ? undefined : new Client({ token, baseUrl });
  }

  /** @throws {Error} before the provider is configured */
  get client(): Client {
    if (this.#client === undefined) throw new Error("The Cloudflare provider is not configured");
    return this.#client;
  }
}

const infoHandlers = (version: string): grpc.UntypedServiceImplementation => ({
  handshake: answer<InstanceType<typeof messages.ProviderHandshakeRequest>, unknown>(
    () => new messages.ProviderHandshakeResponse(),
  ),
  getPluginInfo: answer(() => {
    const info = new plugin.PluginInfo();
    info.setVersion(version);
    return info;
  }),
  getSchema: answer(() => {
    const response = new messages.GetSchemaResponse();
    response.setSchema(JSON.stringify({ name: "cloudflare", version }));
    return response;
  }),
  cancel: answer(() => new empty.Empty()),
  attach: answer(() => new empty.Empty()),
});

const configHandlers = (connection: Connection): grpc.UntypedServiceImplementation => ({
  checkConfig: answer((request: messages.CheckRequest) => {
    const response = new messages.CheckResponse();
    response.setInputs(request.getNews());
    response.setFailuresList(configFailures(connection.settings(valuesOf(request.getNews()))).map(failureOf));
    return response;
  }),
  diffConfig: answer((request: messages.DiffRequest) => {
    const response = new messages.DiffResponse();
    const same = JSON.stringify(valuesOf(request.getOlds())) === JSON.stringify(valuesOf(request.getNews()));
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    response.setChanges(same ? DIFF_NONE : DIFF_SOME);
    return response;
  }),
  configure: answer((request: messages.ConfigureRequest) => {
    connection.configure(valuesOf(request.getArgs()));
    const response = new messages.ConfigureResponse();
    // When a plugin does not accept secrets, the engine itself marks the outputs of secret inputs.
    response.setAcceptsecrets(false);
    response.setSupportspreview(true);
    return response;
  }),
});

function configFailures({ token, baseUrl }: ReturnType<Connection["settings"]>): Failure[] {
  const refused = baseUrl === unknown ? undefined : refusal(baseUrl);
  const isToken = token === unknown || /^[0-9A-Za-z_-]{40,80}$/.test(token);
  const reason = "expected 40 to 80 letters, digits, - or _; set cloudflare:apiToken or CLOUDFLARE_API_TOKEN";
  return [
    ...(refused === undefined ? [] : [{ property: "baseUrl", reason: refused }]),
    ...(isToken ? [] : [{ property: "apiToken", reason }]),
  ];
}

/** Checks and diffs, which need no call of the API. */
const checkHandlers = (provider: CloudflareProvider): grpc.UntypedServiceImplementation => ({
  check: answer((request: messages.CheckRequest) => {
    const response = new messages.CheckResponse();
    response.setInputs(request.getNews());
    response.setFailuresList(provider.check(typeOf(request.getUrn()), valuesOf(request.getNews())).map(failureOf));
    return response;
  }),
  diff: answer((request: messages.DiffRequest) => {
    const isIgnored = (path: string): boolean =>
      request
        .getIgnorechangesList()
        .some((ignored) => path === ignored || path.startsWith(`${ignored}.`) || path.startsWith(`${ignored}[`));
    const found = provider
      .diff(typeOf(request.getUrn()), valuesOf(request.getNews()), valuesOf(request.getOlds()))
      .filter(({ path }) => !isIgnored(path));
    return diffOf(found);
  }),
});

const resourceHandlers = (provider: CloudflareProvider, connection: Connection): grpc.UntypedServiceImplementation => ({
  invoke: answer(async (request: messages.InvokeRequest) => {
    const result = await lookUp(connection.client, request.getTok(), clean(valuesOf(request.getArgs())));
    const response = new messages.InvokeResponse();
    response.setReturn(structOf(result));
    return response;
  }),
  create: answer(async (request: messages.CreateRequest) => {
    const [type, inputs] = [typeOf(request.getUrn()), valuesOf(request.getProperties())];
    const response = new messages.CreateResponse();
    if (request.getPreview()) {
      response.setProperties(structOf(provider.preview(type, inputs, undefined)));
      return response;
    }
    const { id, state } = await provider.create(connection.client, type, inputs);
    response.setId(id);
    response.setProperties(structOf({ id, ...state }));
    return response;
  }),
  read: answer(async (request: messages.ReadRequest) => {
    const [before, inputs] = [valuesOf(request.getProperties()), valuesOf(request.getInputs())];
    const found = await provider.read(connection.client, typeOf(request.getUrn()), request.getId(), before, inputs);
    const response = new messages.ReadResponse();
    if (found === undefined) return response;
    response.setId(found.id);
    response.setProperties(structOf({ id: found.id, ...found.state }));
    response.setInputs(structOf(found.inputs));
    return response;
  }),
  update: answer(async (request: messages.UpdateRequest) => {
    const type = typeOf(request.getUrn());
    const [news, olds] = [valuesOf(request.getNews()), valuesOf(request.getOlds())];
    const state = request.getPreview()
      ? provider.preview(type, news, olds)
      : await provider.update(connection.client, type, request.getId(), news, olds);
    const response = new messages.UpdateResponse();
    response.setProperties(structOf({ id: request.getId(), ...state }));
    return response;
  }),
  delete: answer(async (request: messages.DeleteRequest) => {
    const state = valuesOf(request.getProperties());
    await provider.delete(connection.client, typeOf(request.getUrn()), request.getId(), state);
    return new empty.Empty();
  }),
});

/** Wraps a function as a gRPC handler; an exception becomes the error of the call. */
function answer<Request, Response>(handler: Handler<Request, Response>): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const settle = async (): Promise<void> => {
      try {
        callback(null, await handler(call.request));
      } catch (error) {
        callback({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
      }
    };
    void settle();
  };
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
