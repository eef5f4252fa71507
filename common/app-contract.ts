/** What the app's processes agree on with the tools: Redis databases and Flower's user. Pure. */

/** Numbers of the Redis databases by their use, as the platform's guide assigns them. */
export const redisDatabases = { sessions: 0, broker: 1, results: 2, flags: 3 } as const;

/** The user name with which Flower lets its operators in. */
export const flowerUser = "orion";
