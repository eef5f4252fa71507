import { packageCounts } from "../../../tools/sbom.ts";

test("packages of an SPDX document are counted by their kind", () => {
  const named = (...locators: string[]) => ({
    ...{ name: "x", versionInfo: "1" },
    externalRefs: locators.map((referenceLocator) => ({ referenceLocator })),
  });
  const packages = [
    named("cpe:2.3:a:x", "pkg:deb/debian/libc6@2.36"),
    named("pkg:pypi/fastapi@1"),
    named("pkg:deb/debian/bash@5"),
    named(),
  ];
  expect(packageCounts({ spdxVersion: "SPDX-2.3", packages })).toEqual({ deb: 2, pypi: 1 });
});
