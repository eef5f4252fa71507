/** Logs a line to the user through the engine, because the engine does not show what a plugin prints. */
import grpc from "@grpc/grpc-js";
import service from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/engine_pb.js";

/** Sends one log line; a failure to deliver it is ignored. */
export function logToEngine(address: string, message: string): Promise<void> {
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
