/** The variables with which the image finds its files. */
import { bucketFiles } from "../../../../components/storage/files-environment.ts";

test("files have a public address where they have a host name of their own", () => {
  const files = { bucket: "files", accessKeyId: "id", secretAccessKey: "key", endpoint: "https://r2.example.com" };
  expect(bucketFiles(files)).toEqual({
    ...{ STORAGE_BACKEND: "r2", R2_ENDPOINT_URL: "https://r2.example.com", R2_BUCKET: "files" },
    ...{ R2_ACCESS_KEY_ID: "id", R2_SECRET_ACCESS_KEY: "key" },
  });
  expect(bucketFiles({ ...files, publicName: "files.example.com" })).toMatchObject({
    R2_PUBLIC_URL: "https://files.example.com",
  });
});
