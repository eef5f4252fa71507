import * as docker from "@pulumi/docker";
import { R2Bucket } from "@pulumi/cloudflare/r2bucket.js";
import * as pulumi from "@pulumi/pulumi";
import { physicalName } from "../../topology/naming.ts";
import { dockerLabels } from "../container.ts";
import { type DockerPlace } from "../host/docker-place.ts";

export type StorageArgs =
  | { readonly backend: "local"; readonly place: DockerPlace }
  | { readonly backend: "r2"; readonly bucket: string; readonly accountId: string };

/** Where the app and its workers keep uploads inside their containers, when the backend is local. */
export const uploadDirectory = "/app/uploads";

/** The platform's files: a protected local volume, or a protected R2 bucket. */
export class Storage extends pulumi.ComponentResource {
  /** The volume to mount at {@link uploadDirectory}; undefined with R2. */
  readonly uploads: pulumi.Output<string> | undefined;
  /** What the app must know, as environment variables; holds no secret. */
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;

  constructor(name: string, args: StorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:storage:Storage", name, {}, opts);
    if (args.backend === "local") {
      this.uploads = this.#createVolume(name, args.place).name;
      this.environment = { STORAGE_BACKEND: "local", UPLOAD_DIR: uploadDirectory };
    } else {
      this.environment = {
        STORAGE_BACKEND: "r2",
        R2_BUCKET: this.#createBucket(name, args.bucket, args.accountId).name,
        R2_ENDPOINT_URL: `https://${args.accountId}.r2.cloudflarestorage.com`,
      };
    }
    this.registerOutputs({});
  }

  #createVolume(name: string, place: DockerPlace): docker.Volume {
    return new docker.Volume(
      `${name}-uploads`,
      { name: physicalName(place.naming, "uploads"), labels: dockerLabels(place.naming, "storage") },
      { ...place.options(this), protect: true },
    );
  }

  #createBucket(name: string, bucket: string, accountId: string): R2Bucket {
    return new R2Bucket(
      `${name}-bucket`,
      { name: bucket, accountId },
      { parent: this, protect: true, retainOnDelete: true },
    );
  }
}
