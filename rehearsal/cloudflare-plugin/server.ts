/**
 * gRPC server of the plugin protocol. The SDK's own server for plugins does not pass on the provider's configuration, the
 * inputs of a refresh, or whether a call is a preview.
 */
import grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { unwrapSecrets } from "../../common/secrets.ts";
import { Client, refusal } from "./client.ts";
import { lookUp } from "./lookups.ts";
import type { CloudflareProvider } from "./provider.ts";
import type { Change } from "./plan.ts";
import { clean, isRecord, unknown, type Values } from "./values.ts";

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
  let client: Client | undefined;
  const connected = (): Client => {
    if (client === undefined) throw new Error("The Cloudflare provider is not configured");
    return client;
  };
  const settings = (values: Values) => ({
    token: text(values["apiToken"]) ?? environment.token ?? "",
    baseUrl: text(values["baseUrl"]) ?? environment.baseUrl ?? "",
  });

  return {
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
    checkConfig: answer((request: messages.CheckRequest) => {
      const news = valuesOf(request.getNews());
      const response = new messages.CheckResponse();
      response.setInputs(request.getNews());
      const { baseUrl, token } = settings(news);
      const refused = baseUrl === unknown ? undefined : refusal(baseUrl);
      const failures = [
        ...(refused === undefined ? [] : [{ property: "baseUrl", reason: refused }]),
        ...(token === unknown || /^[0-9A-Za-z_-]{40,80}$/.test(token)
          ? []
          : [
              {
                property: "apiToken",
                reason: "expected 40 to 80 letters, digits, - or _; set cloudflare:apiToken or CLOUDFLARE_API_TOKEN",
              },
            ]),
      ];
      response.setFailuresList(failures.map(failureOf));
      return response;
    }),
    diffConfig: answer((request: messages.DiffRequest) => {
      const response = new messages.DiffResponse();
      const same = JSON.stringify(valuesOf(request.getOlds())) === JSON.stringify(valuesOf(request.getNews()));
      response.setChanges(
        same ? messages.DiffResponse.DiffChanges.DIFF_NONE : messages.DiffResponse.DiffChanges.DIFF_SOME,
      );
      return response;
    }),
    configure: answer((request: messages.ConfigureRequest) => {
      const { token, baseUrl } = settings(valuesOf(request.getArgs()));
      client = token === unknown || baseUrl === unknown ? undefined : new Client({ token, baseUrl });
      const response = new messages.ConfigureResponse();
      // When a plugin does not accept secrets, the engine itself marks the outputs of secret inputs.
      response.setAcceptsecrets(false);
      response.setSupportspreview(true);
      return response;
    }),
    invoke: answer(async (request: messages.InvokeRequest) => {
      const result = await lookUp(connected(), request.getTok(), clean(valuesOf(request.getArgs())));
      const response = new messages.InvokeResponse();
      response.setReturn(structOf(result));
      return response;
    }),
    check: answer((request: messages.CheckRequest) => {
      const response = new messages.CheckResponse();
      response.setInputs(request.getNews());
      response.setFailuresList(provider.check(typeOf(request.getUrn()), valuesOf(request.getNews())).map(failureOf));
      return response;
    }),
    diff: answer((request: messages.DiffRequest) => {
      const found = provider
        .diff(typeOf(request.getUrn()), valuesOf(request.getNews()), valuesOf(request.getOlds()))
        .filter(
          ({ path }) =>
            !request
              .getIgnorechangesList()
              .some((ignored) => path === ignored || path.startsWith(`${ignored}.`) || path.startsWith(`${ignored}[`)),
        );
      return diffOf(found);
    }),
    create: answer(async (request: messages.CreateRequest) => {
      const [type, inputs] = [typeOf(request.getUrn()), valuesOf(request.getProperties())];
      const response = new messages.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(structOf(provider.preview(type, inputs, undefined)));
        return response;
      }
      const { id, state } = await provider.create(connected(), type, inputs);
      response.setId(id);
      response.setProperties(structOf({ id, ...state }));
      return response;
    }),
    read: answer(async (request: messages.ReadRequest) => {
      const [before, inputs] = [valuesOf(request.getProperties()), valuesOf(request.getInputs())];
      const found = await provider.read(connected(), typeOf(request.getUrn()), request.getId(), before, inputs);
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
        : await provider.update(connected(), type, request.getId(), news, olds);
      const response = new messages.UpdateResponse();
      response.setProperties(structOf({ id: request.getId(), ...state }));
      return response;
    }),
    delete: answer(async (request: messages.DeleteRequest) => {
      await provider.delete(connected(), typeOf(request.getUrn()), request.getId(), valuesOf(request.getProperties()));
      return new empty.Empty();
    }),
  };
}

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

/** `urn:pulumi:stack::project::parent$type::name` */
const typeOf = (urn: string): string => (urn.split("::")[2] ?? "").split("$").pop() ?? "";

function valuesOf(message: struct.Struct | undefined): Values {
  // The engine wraps secrets in the provider's configuration even when the plugin does not accept secrets.
  const value = unwrapSecrets(message?.toJavaScript() ?? {});
  return isRecord(value) ? value : {};
}

const structOf = (values: Values): struct.Struct =>
  struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, struct.JavaScriptValue>);

function failureOf({
  property,
  reason,
}: {
  readonly property: string;
  readonly reason: string;
}): messages.CheckFailure {
  const failure = new messages.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

function diffOf(found: readonly Change[]): messages.DiffResponse {
  const { Kind } = messages.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(found.length === 0 ? DIFF_NONE : DIFF_SOME);
  const roots = (changes: readonly Change[]) => [...new Set(changes.map(({ path }) => path.split(/[.[]/)[0] ?? ""))];
  response.setDiffsList(roots(found));
  response.setReplacesList(roots(found.filter(({ replaces }) => replaces)));
  response.setHasdetaileddiff(true);
  for (const { path, kind, replaces } of found) {
    const detail = new messages.PropertyDiff();
    detail.setKind(kinds[kind][replaces ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}
