/** A line for the user, by way of the engine: what a plugin prints is not shown. */
import grpc from "@grpc/grpc-js";
import service from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/engine_pb.js";

/** Says something once; an engine that does not listen is no reason to fail. */
export function say(address: string, message: string): Promise<void> {
  const engine = new service.EngineClient(address, grpc.credentials.createInsecure());
  const request = new messages.LogRequest();
  request.setSeverity(messages.LogSeverity.INFO);
  request.setMessage(message);
  return new Promise((resolve) => {
    engine.log(request, new grpc.Metadata(), { deadline: Date.now() + 5_000 }, () => {
      engine.close();
      resolve();
    });
  });
}
