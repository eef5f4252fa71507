/** Options of `docker run` for containers that run for a while: what restricts them, and that the kernel kills them first. Pure. */

/** Has the kernel kill a container that runs for a while before all others, when memory runs out: it can be run again. */
export const killedFirst = ["--oom-score-adj", "1000"] as const;

/** No privileges, and nothing to write to but /tmp and what is mounted; for clients, which need no more. */
export const confined = `--cap-drop ALL --security-opt no-new-privileges --read-only --volume /tmp --pids-limit 256 ${killedFirst.join(" ")}`;

/** The same for a server of PostgreSQL, whose entrypoint becomes the user postgres. */
export const confinedServer =
  `${confined} --tmpfs /var/run/postgresql --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER ` +
  "--cap-add KILL --cap-add SETGID --cap-add SETUID";
