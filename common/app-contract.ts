/** Facts about the app that the program and the tools share: Redis database numbers and Flower's user name. Pure. */

/** Numbers of the Redis databases by their use, as the platform's guide assigns them. */
export const redisDatabases = { sessions: 0, broker: 1, results: 2, flags: 3 } as const;

/** The user name of Flower's login. */
export const flowerUser = "orion";
