/** Host name and directory URL of the cloud's ACME authority, as servers use them. */
export const acmeHostname = "acme.rehearsal.internal";
/** ACME directory URL that a client is configured with. */
export const acmeDirectory = `https://${acmeHostname}/dir`;
