/** The platform's files: a protected local volume, or protected R2 buckets for files, backups and archived WAL. */
import * as docker from "@pulumi/docker";
import { getZoneOutput } from "@pulumi/cloudflare/getZone.js";
import { R2BucketCors } from "@pulumi/cloudflare/r2bucketCors.js";
import { R2CustomDomain } from "@pulumi/cloudflare/r2customDomain.js";
import * as pulumi from "@pulumi/pulumi";
import { servedNames, zoneOf } from "../../config/host-names.ts";
import { physicalName } from "../../topology/naming.ts";
import { archivesWal } from "../../topology/services/archive.ts";
import { servicesOf } from "../../topology/topology.ts";
import type { Context } from "../context.ts";
import { dockerLabels } from "../runtime/docker/labels.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { Bucket } from "./bucket.ts";
import { bucketFiles, localFiles } from "./files-environment.ts";

export type StorageArgs = LocalArgs | R2Args;

interface Protected {
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
}

export interface LocalArgs extends Protected {
  readonly backend: "local";
  readonly runtime: DockerRuntime;
}

export interface R2Args extends Protected {
  readonly backend: "r2";
  readonly accountId: string;
  /** The bucket's name; that of backups is called `<bucket>-backups`, that of the database's changes `<bucket>-archive`. */
  readonly bucket: string;
  /** URL of the S3 interface. */
  readonly endpoint: string;
  /** Host names of the platform; CORS allows their pages to read and write files directly. @default - no CORS */
  readonly pages?: readonly string[];
  /** For so many days R2 refuses to delete or overwrite a backup. @default 0, no lock */
  readonly lockDays?: number;
  /** Whether there is a bucket for the database's changes. @default false */
  readonly archive?: boolean;
  /** Host name under which the files are public. @default - none: they are served through the app */
  readonly custom?: { readonly domain: string; readonly zone: string };
}

/** A bucket of backups, for S3 clients. */
export interface BackupStore {
  readonly bucket: pulumi.Output<string>;
  readonly endpoint: string;
  readonly accessKeyId: pulumi.Output<string>;
  /** A secret. */
  readonly secretAccessKey: pulumi.Output<string>;
}

/** What the names of all objects of a backup begin with (components/database/backup-scripts.ts). */
const backupPrefix = "postgresql/";

export class Storage extends pulumi.ComponentResource {
  /** The volume to mount at `uploadDirectory` of files-environment.ts; undefined with R2. */
  readonly uploads: pulumi.Output<string> | undefined;
  /** Environment variables for the app. */
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Undefined with local storage: backups would be lost together with the data. */
  readonly backups: BackupStore | undefined;
  /**
   * The bucket of the database's changes; undefined without an archive. Another one than that of the backups: the database's own
   * container has its credentials, and must not be able to delete those.
   */
  readonly archive: BackupStore | undefined;

  constructor(name: string, args: StorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:storage:Storage", name, {}, opts);
    if (args.backend === "local") {
      this.uploads = this.#createVolume(name, args).name;
      this.environment = localFiles;
    } else {
      const files = this.#createFiles(name, args);
      this.environment = bucketFiles({
        ...{ bucket: files.bucket, accessKeyId: files.accessKeyId, secretAccessKey: files.secretAccessKey },
        ...{ endpoint: args.endpoint, publicName: args.custom?.domain },
      });
      this.backups = this.#createBackups(name, args);
      if (args.archive === true) this.archive = storeOf(this.#createArchive(name, args), args);
    }
    this.registerOutputs({});
  }

  #createVolume(name: string, { runtime, protection = true }: LocalArgs): docker.Volume {
    return new docker.Volume(
      `${name}-uploads`,
      { name: physicalName(runtime.naming, "uploads"), labels: dockerLabels(runtime.naming, "storage") },
      { ...runtime.options(this), protect: protection },
    );
  }

  #createFiles(name: string, { accountId, bucket, pages, custom, protection = true }: R2Args): Bucket {
    const files = new Bucket(`${name}-files`, { accountId, bucket, protection }, { parent: this });
    if (pages !== undefined) this.#allowPages(name, accountId, files, pages);
    if (custom) this.#publish(name, accountId, files, custom);
    return files;
  }

  #allowPages(name: string, accountId: string, files: Bucket, pages: readonly string[]): void {
    new R2BucketCors(
      `${name}-cors`,
      {
        accountId,
        bucketName: files.bucket,
        rules: [
          {
            id: "platform",
            allowed: {
              methods: ["GET", "HEAD", "PUT"],
              origins: pages.map((host) => `https://${host}`),
              headers: ["content-type", "content-md5", "range"],
            },
            exposeHeaders: ["ETag", "Content-Length", "Content-Range"],
            maxAgeSeconds: 3600,
          },
        ],
      },
      { parent: this },
    );
  }

  #publish(name: string, accountId: string, files: Bucket, { domain, zone }: NonNullable<R2Args["custom"]>): void {
    new R2CustomDomain(
      `${name}-domain`,
      {
        accountId,
        bucketName: files.bucket,
        domain,
        zoneId: getZoneOutput({ filter: { name: zone } }, { parent: this }).id,
        enabled: true,
        minTls: "1.2",
      },
      { parent: this },
    );
  }

  #createArchive(name: string, { accountId, bucket, protection = true }: R2Args): Bucket {
    return new Bucket(`${name}-archive`, { accountId, bucket: `${bucket}-archive`, protection }, { parent: this });
  }

  #createBackups(name: string, args: R2Args): BackupStore {
    const { accountId, bucket, lockDays = 0, protection = true } = args;
    const lock = { prefix: backupPrefix, days: lockDays };
    const store = new Bucket(
      `${name}-backups`,
      { accountId, bucket: `${bucket}-backups`, protection, lock },
      { parent: this },
    );
    return storeOf(store, args);
  }
}

const storeOf = (
  { bucket, accessKeyId, secretAccessKey }: Bucket,
  { endpoint }: Pick<R2Args, "endpoint">,
): BackupStore => ({ bucket, endpoint, accessKeyId, secretAccessKey });

/** The argument `uploads` of other components. */
export const uploadsOf = ({ uploads }: Storage) => (uploads === undefined ? {} : { uploads });

/** Creates the storage of a stack. */
export function createStorage({ settings, topology, runtimes, parent }: Context): Storage {
  const { domain, storage, cloudflare, protection } = settings;
  if (storage.backend === "local") {
    // The volume is on the app's machine; a local stack may have no app.
    const [home] = [...servicesOf(topology, "app"), ...servicesOf(topology, "worker"), ...topology.services];
    if (!home) throw new Error("The plan has no service, so there is no Docker Engine for the uploads volume.");
    return new Storage("storage", { backend: "local", runtime: runtimes.of(home), protection }, { parent });
  }
  const { bucket, endpoint, customDomain } = storage;
  const { accountId } = cloudflare;
  const zone = customDomain === undefined ? undefined : zoneOf(customDomain, settings);
  if (bucket === undefined || accountId === undefined || endpoint === undefined) {
    throw new Error(
      "orion:storage.backend r2 needs a bucket, an account and an endpoint; config/ must check this before.",
    );
  }
  const args = {
    ...{ bucket, accountId, endpoint, protection, lockDays: settings.backups.lockDays },
    archive: archivesWal(settings),
    ...(domain !== undefined && { pages: servedNames(settings) }),
    ...(customDomain !== undefined && zone !== undefined && { custom: { domain: customDomain, zone } }),
  };
  return new Storage("storage", { backend: "r2", ...args }, { parent });
}
