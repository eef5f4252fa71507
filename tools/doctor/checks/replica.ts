/** Checks whether a streaming replica receives from its primary, and how far it lags behind. */
import type { Checked } from "../advice.ts";
import { weakness } from "./postgres.ts";
import type { Question } from "../question.ts";

/** A replica may lag this far behind, in seconds: a long query delays it. */
const lateSeconds = 300;

/** A replica that has replayed all that it received is not late, however old the last change is. */
export async function checkReplica(question: Question): Promise<Checked> {
  const { service, exec } = question;
  const query = `SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'nothing'),
    CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
      ELSE coalesce(round(extract(epoch FROM now() - pg_last_xact_replay_timestamp())), 0) END`;
  const { ok, output } = await exec(service, "psql", "-XtA", "-F", " ", "-c", query);
  if (!ok) return { problem: "database-refuses", detail: output };
  const [status = "", seconds = "0"] = output.split(" ");
  const detail = `${status} from the primary, ${seconds} s behind`;
  if (status !== "streaming" || Number(seconds) > lateSeconds) return { problem: "replica-behind", detail };
  return (await weakness(question)) ?? { detail };
}
