/** The variables with which the platform's image finds its files; docs/image.md lists them. Pure. */
import type * as pulumi from "@pulumi/pulumi";

/** Folder of uploads in the containers of the app and its workers, with local storage. */
export const uploadDirectory = "/app/uploads";

type FilesEnvironment = Readonly<Record<string, pulumi.Input<string>>>;

/** Files in a volume of the machine. */
export const localFiles: FilesEnvironment = { STORAGE_BACKEND: "local", UPLOAD_DIR: uploadDirectory };

/** A bucket, and the credentials for it. */
interface FilesBucket {
  readonly bucket: pulumi.Input<string>;
  readonly accessKeyId: pulumi.Input<string>;
  readonly secretAccessKey: pulumi.Input<string>;
  /** URL of the S3 interface. */
  readonly endpoint: string;
  /** Host name under which the files are public. @default - none: they are served through the app */
  readonly publicName?: string | undefined;
}

/** Files in a bucket. */
export const bucketFiles = (files: FilesBucket): FilesEnvironment => ({
  STORAGE_BACKEND: "r2",
  R2_ENDPOINT_URL: files.endpoint,
  R2_BUCKET: files.bucket,
  R2_ACCESS_KEY_ID: files.accessKeyId,
  R2_SECRET_ACCESS_KEY: files.secretAccessKey,
  ...(files.publicName !== undefined && { R2_PUBLIC_URL: `https://${files.publicName}` }),
});
