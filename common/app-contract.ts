/** Facts about the app that the program and the tools share: what runs its image, Redis database numbers, idle connections, task time limit, Flower's user name. Pure. */

/** The kinds of services whose containers run the platform's image all the time; it is the label `role` of these containers. */
export const imageRoles = ["app", "worker", "beat", "flower"] as const;

/** Numbers of the Redis databases by their use, as the platform's guide assigns them. */
export const redisDatabases = { sessions: 0, broker: 1, results: 2, flags: 3 } as const;

/** The app closes a connection that is idle for so long: later than the edge does, so that it never closes one while a request arrives. */
export const appKeepsIdleSeconds = 75;

/** A task that runs longer is ended: `CELERY_TASK_TIME_LIMIT` of the workers. */
export const taskTimeLimitSeconds = 300;

/**
 * A worker that is asked to stop gets this long for the tasks that it has, before it is killed: longer than any task may take. A
 * task that is cut off stays in the broker and runs again when the visibility timeout is over, an hour unless the app sets another, if the
 * app has Celery's `task_acks_late`; otherwise it is lost.
 */
export const workerStopSeconds = taskTimeLimitSeconds + 10;

/** The user name of Flower's login. */
export const flowerUser = "orion";
