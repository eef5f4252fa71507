/** The name under which servers find the ACME authority. */
export const acmeHostname = "acme.rehearsal.internal";
/** The URL of its directory, which a client is given. */
export const acmeDirectory = `https://${acmeHostname}/dir`;
