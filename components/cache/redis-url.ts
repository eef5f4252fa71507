/** Builds the URL of a Redis for a client. Pure. */

export interface RedisEndpoint {
  /** Host and port. */
  readonly address: string;
  /** File of the authority's certificate in the client's container; the client verifies the server by it. @default - no TLS */
  readonly authorityFile?: string;
}

/**
 * `redis://` or `rediss://` URL of a logical database.
 *
 * The parameters are redis-py's. Celery's result backend insists on `ssl_cert_reqs`; redis-py and kombu compare the host
 * name as well.
 *
 * @param password letters and digits
 */
export function redisUrl(
  { address, authorityFile }: RedisEndpoint,
  user: string,
  password: string,
  database: number,
): string {
  const login = `${user}:${password}@${address}/${database}`;
  return authorityFile === undefined
    ? `redis://${login}`
    : `rediss://${login}?ssl_cert_reqs=required&ssl_ca_certs=${authorityFile}`;
}
