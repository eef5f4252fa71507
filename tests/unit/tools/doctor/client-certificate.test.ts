/** The certificate that Cloudflare presents to the edges, as the state has it. */
import { clientCertificateEnd, judgeClientCertificate } from "../../../../tools/doctor/client-certificate.ts";
import type { Resource } from "../../../../tools/state.ts";

const now = new Date("2026-11-29T12:00:00Z");
const urn =
  "urn:pulumi:prod::orion::tls:index/locallySignedCert:LocallySignedCert::cloudflare-origin-pulls-client-certificate";
const certificate = (validityEndTime: string, zone = ""): Resource => ({
  ...{
    urn: urn.replace("cloudflare-", `cloudflare-${zone}`),
    type: "tls:index/locallySignedCert:LocallySignedCert",
    inputs: {},
    outputs: { validityEndTime },
  },
});
const judged = (...resources: Resource[]) => judgeClientCertificate(clientCertificateEnd(resources), now);

test("half a year before its end it is a problem, and after it", () => {
  expect(judged(certificate("2036-11-26T12:00:00Z"))).toEqual({ detail: "valid until 2036-11-26, 3650 days" });
  expect(judged(certificate("2027-05-29T12:00:00Z")).problem).toBeUndefined();
  expect(judged(certificate("2027-05-27T12:00:00Z"))).toEqual({
    problem: "client-certificate-ends",
    detail: "valid until 2027-05-27, 179 days",
  });
  expect(judged(certificate("2026-11-28T12:00:00+00:00"))).toMatchObject({ problem: "client-certificate-ends" });
});

test("of several zones the one counts whose certificate ends first", () => {
  const [later, first] = [
    certificate("2036-11-26T12:00:00Z", "example.com-"),
    certificate("2027-05-27T12:00:00Z", "example.org-"),
  ];
  expect(judged(later, first)).toMatchObject({ problem: "client-certificate-ends" });
});

test("a stack behind Cloudflare without one is not called well", () => {
  expect(judged()).toMatchObject({ problem: "client-certificate-missing" });
  expect(judged(certificate("soon"))).toMatchObject({ problem: "client-certificate-missing" });
});
