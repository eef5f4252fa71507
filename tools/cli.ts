/** Entry point of the commands that the Makefile runs: parses the arguments and calls the command. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { forStack } from "../common/remedies.ts";
import { UserError } from "../common/user-error.ts";
import { rehearsalFolder, rehearsedOn } from "../rehearsal/cloud/settings.ts";
import type { Service } from "../topology/service.ts";
import { type AccessCommand, accessCommands, accessTo, dockerArguments, masterOf } from "./container-commands.ts";
import { backup, restoreDrill, showBackupKey } from "./backup.ts";
import { type DataChoice, down } from "./down.ts";
import { Engines } from "./engines.ts";
import { externalPsql } from "./external-client.ts";
import { openFlower } from "./flower.ts";
import { asMigrator } from "./migrate.ts";
import { showPlan } from "./plan/plan.ts";
import { operatorKeyVariable, writeOperatorKey } from "./operator-key.ts";
import { drillTo, restoreTo } from "./point-in-time/restore.ts";
import { rollback } from "./rollback.ts";
import { readStackFile, type StackFile } from "./stack-file.ts";
import { confirm, isTerminal, redError, say } from "./terminal.ts";
import { preview, up } from "./up.ts";

const usage = `Usage: node tools/cli.ts COMMAND [--stack NAME] [--service NAME] [--data ask|keep|delete] [--yes]
                                 [--rehearsal CLOUD]

  up, down                   bring the stack up: [--refresh: undo drift]; take it down (asks before it deletes data)
  deploy                     bring the stack up without questions, check it and report what was done: [--out FOLDER]
  state-preview              report what the engine would change, without values: [--out FOLDER]
  state-move                 move the state to another place: --to s3://BUCKET?...|file:///FOLDER|files
  operator-key               put the SSH key of a CI job (OPERATOR_KEY) to where ssh looks for it
  preview                    show what an update would change
  plan                       show servers, services, price and account limits: [--to PHASE|FILE.yaml] [--json]
  advise                     which option and phase fit: [--visitors N] [--orders N] [--gb N] [--budget N|none]
                             [--operator WHO] [--demands LIST] [--json] [--help]
  diagram                    draw the plan: --file NAME.svg|.png [--to PHASE|FILE.yaml] [--theme light|dark]
  diff                       show changes, cost and dangers of a move: [--from PHASE|FILE.yaml] [--to PHASE|FILE.yaml]
                             [--picture NAME.svg|.png] [--json]
  drift                      compare what really exists with the state: [--issue: keep an issue on GitHub]
  check-image                ask an image what the stack needs of it: [--image NAME]
  check-external             ask the external PostgreSQL and Redis whether they fit
  doctor                     check every component and explain what is wrong
  psql, redis-cli            open a prompt of PostgreSQL, of Redis
  flower                     print the address of the task monitor, for servers through an SSH tunnel
  logs, shell                show the log of a service, open a shell in it: --service app
  celery-status              show the tasks that workers are running
  celery-purge               delete every waiting task (asks)
  rollback                   update with the image that ran before (asks)
  migrate-up, init-prod      run the migrations, or the initialisation, again
  promote-replica            promote the replica of a primary whose server is lost (asks)
  move-database              move the data between own and external PostgreSQL (asks): --to own|external [--replace]
  outdated                   what is behind: images, packages, servers, lists: [--json] [--write: today's digests of the images]
  requirements               write every requirements.txt with hashes: [--upgrade]
  fidelity                   write docs/fidelity.md: [--documents FOLDER: with newer OpenAPI documents of the real APIs]
  uninstall                  take away what \`make setup\` has put on this machine (asks)
  package                    pack the rehearsal cloud for other projects, into .orion/package
  sbom                       list what the images that are built here contain, into .orion/sbom
  patch                      bring packages and images of the servers up to date, one after the other (asks): [--dry] [--reboot]
  backup                     take a backup of the database now; make a suspect one a good one: [--accept TIME]
  backup-key                 print the private key that backups are encrypted for, and the key of the archive
  restore-drill              restore the newest backup into a scratch server and compare: [--server NAME]; or the database
                             as it was at a second: --time TIME [--query SQL]
  restore                    replace the database's data by that of a second (asks): --time TIME
  rehearse                   bring the stack up on a rehearsal cloud: [--phase PHASE] [--cloud NAME] [--port N] [--block N]
                             under load, with a report: --load [--from PHASE] [--out FILE.html]; on your own data:
                             --data latest|FILE.dump
  drill                      inject faults into a rehearsed platform, with a report: [--drill NAME,NAME] [--cloud NAME]
                             [--phase PHASE: what comes up first if nothing is up] [--out FILE.html]
  report                     draw the page of a rehearsal or of drills again: --record FILE.json [--out FILE.html]

  --rehearsal CLOUD          act on the stack's rehearsal on that cloud`;

const parse = (argv: string[]) =>
  parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      stack: { type: "string", default: "dev" },
      service: { type: "string" },
      image: { type: "string" },
      server: { type: "string" },
      accept: { type: "string" },
      time: { type: "string" },
      query: { type: "string" },
      data: { type: "string", default: "ask" },
      yes: { type: "boolean", default: false },
      rehearsal: { type: "string" },
      phase: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      file: { type: "string" },
      theme: { type: "string" },
      picture: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      visitors: { type: "string" },
      orders: { type: "string" },
      gb: { type: "string" },
      budget: { type: "string" },
      operator: { type: "string" },
      demands: { type: "string" },
      refresh: { type: "boolean", default: false },
      out: { type: "string" },
      documents: { type: "string" },
      issue: { type: "boolean", default: false },
      replace: { type: "boolean", default: false },
      dry: { type: "boolean", default: false },
      reboot: { type: "boolean", default: false },
      upgrade: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      cloud: { type: "string", default: "main" },
      port: { type: "string" },
      block: { type: "string" },
      load: { type: "boolean", default: false },
      drill: { type: "string" },
      record: { type: "string" },
    },
  });

/** Commands of the engine in messages name the stack, and the project of its rehearsal: as they stand they would change another one. */
async function main(project: string, argv: string[]): Promise<number> {
  const { positionals, values } = parse(argv);
  try {
    return await run(project, positionals, values);
  } catch (error) {
    const { stack, rehearsal } = values;
    const folder = rehearsal === undefined ? undefined : rehearsalFolder("", rehearsal, stack);
    if (error instanceof UserError) error.message = forStack(error.message, stack, folder);
    throw error;
  }
}

async function run(
  project: string,
  positionals: readonly string[],
  values: ReturnType<typeof parse>["values"],
): Promise<number> {
  const [command] = positionals;
  if (command === "advise") {
    const { advise } = await import("./advise/advise.ts");
    return advise({ texts: values, json: values.json, help: values.help });
  }
  if (command === undefined || command === "help" || values.help) {
    say(usage);
    return command === undefined && !values.help ? 2 : 0;
  }
  if (command === "rehearse") {
    const { stack, phase, cloud, port, block } = values;
    const choices = { ...(port && { port: Number(port) }), ...(block && { block: Number(block) }) };
    const data = values.data === "ask" ? undefined : values.data;
    const options = { root: project, stack, phase, cloud, choices, from: values.from, data };
    // Loaded only when needed: it imports the rehearsal cloud.
    if (values.load) {
      const { rehearseUnderLoad } = await import("./rehearsal/under-load.ts");
      return rehearseUnderLoad({ ...options, out: values.out });
    }
    const { rehearse } = await import("./rehearsal/rehearse.ts");
    if (data !== undefined) {
      const { start } = await import("./rehearsal/start.ts");
      await start(options);
    }
    return rehearse(options);
  }
  if (command === "report") {
    const { drawAgain } = await import("./report/draw-again.ts");
    return drawAgain(project, values.record, values.out);
  }
  if (command === "drill") {
    const { stack, phase = "scale", cloud, port, block, out } = values;
    const choices = { ...(port && { port: Number(port) }), ...(block && { block: Number(block) }) };
    const { drill } = await import("./drill/drill.ts");
    return drill({ root: project, stack, phase, cloud, choices, drills: values.drill, out });
  }
  if (command === "requirements") {
    const { writeRequirements } = await import("./requirements.ts");
    return writeRequirements(project, values.upgrade);
  }
  if (command === "fidelity") {
    const { writeFidelity } = await import("./fidelity/fidelity.ts");
    return writeFidelity(project, values.documents);
  }
  if (command === "uninstall") {
    const { uninstall } = await import("./uninstall.ts");
    return uninstall(project, values.yes);
  }
  if (command === "package") {
    const { packageRehearsal } = await import("./package.ts");
    return packageRehearsal(project);
  }
  const root = rootOf(project, values.stack, values.rehearsal);
  const chosen = { root, project, stack: values.stack };
  // Loaded only when needed: the program, Graphviz.
  if (command === "diff") {
    const { diff } = await import("./diff.ts");
    return diff({ ...chosen, from: values.from, to: values.to, picture: values.picture, json: values.json });
  }
  if (command === "diagram") {
    const { diagram } = await import("./diagram/diagram.ts");
    return diagram({ ...chosen, choice: values.to, file: values.file ?? "plan.svg", theme: values.theme });
  }
  if (command === "plan") return showPlan({ ...chosen, choice: values.to, json: values.json });
  const file = readStackFile(root, values.stack);
  switch (command) {
    case "up":
      return up(root, file, { yes: values.yes, refresh: values.refresh });
    case "deploy": {
      const { deploy } = await import("./deploy/deploy.ts");
      return deploy(root, file, values.out);
    }
    case "state-preview": {
      const { statePreview } = await import("./preview/state-preview.ts");
      return statePreview(root, file, values.out);
    }
    case "state-move": {
      const { moveState } = await import("./move-state.ts");
      await moveState(root, file.stack, values.to, say);
      return 0;
    }
    case "operator-key":
      say(writeOperatorKey(file, process.env[operatorKeyVariable]));
      return 0;
    case "preview":
      return preview(root, file.stack);
    case "down":
      return down(root, file, dataChoice(values.data));
    case "drift": {
      const { drift } = await import("./drift/drift.ts");
      return drift(root, file, { issue: values.issue });
    }
    case "check-image": {
      const { checkImage } = await import("./check-image.ts");
      return checkImage(root, project, file, values.image);
    }
    case "check-external": {
      const { checkExternal } = await import("./check-external.ts");
      return checkExternal(root, file);
    }
    case "doctor": {
      // It asks external services with the program's own code, whose SDK takes long to load.
      const { doctor } = await import("./doctor/doctor.ts");
      return doctor(file, new Engines(root, file));
    }
    case "rollback":
      return rollback(root, file, values.yes);
    case "patch": {
      const { patch } = await import("./patch/patch.ts");
      return patch(root, project, file, { dry: values.dry, yes: values.yes, reboots: values.reboot });
    }
    case "outdated": {
      const { outdated } = await import("./outdated/outdated.ts");
      return outdated(root, project, file, { json: values.json, write: values.write });
    }
    case "sbom": {
      const { sbom } = await import("./sbom.ts");
      return sbom(project, file);
    }
    case "move-database": {
      const { moveTo } = await import("./move-database/command.ts");
      return moveTo(root, file, new Engines(root, file), { to: values.to, yes: values.yes, replace: values.replace });
    }
    case "promote-replica": {
      const { promoteReplica } = await import("./promotion/promote-replica.ts");
      return promoteReplica(root, file, values.yes);
    }
    case "backup":
      return backup(file, new Engines(root, file), values.accept);
    case "backup-key":
      return showBackupKey(root, file);
    case "restore":
      return restoreTo(file, new Engines(root, file), values.time, values.yes);
    case "restore-drill":
      if (values.time !== undefined && values.server !== undefined)
        throw new UserError("restore-drill: TIME runs on the primary's server; SERVER chooses one for a dump only.");
      if (values.time !== undefined) return drillTo(file, new Engines(root, file), values.time, values.query);
      return restoreDrill(root, file, new Engines(root, file), values.server);
    case "flower":
      return openFlower(root, file, new Engines(root, file));
    default:
      if (!isAccessCommand(command)) throw new UserError(`Unknown command '${command}'.\n\n${usage}`);
      return access(root, file, command, values.service, values.yes);
  }
}

/** Folder of the Pulumi project that a command acts on. */
function rootOf(project: string, stack: string, rehearsal: string | undefined): string {
  if (rehearsal === undefined) return project;
  const folder = rehearsalFolder(project, rehearsal, stack);
  if (existsSync(folder)) return folder;
  const others = rehearsedOn(project, stack);
  const where = others.length === 0 ? "" : `; it is on ${others.map((name) => `CLOUD=${name}`).join(", ")}`;
  throw new UserError(
    `Stack '${stack}' is not rehearsed on a cloud '${rehearsal}'${where}. To rehearse it there: make rehearse STACK=${stack} CLOUD=${rehearsal}`,
  );
}

async function access(
  root: string,
  file: StackFile,
  command: AccessCommand,
  service: string | undefined,
  yes: boolean,
): Promise<number> {
  const { topology } = file;
  const engines = new Engines(root, file);
  if (command === "psql" && file.settings.database.mode === "external") return externalPsql(root, file, engines);
  const reached = accessTo(topology, command, service);
  if (reached.danger !== undefined && !yes && !(await confirm(`This deletes ${reached.danger}.`))) {
    say(isTerminal ? "Nothing was done." : "Nothing was done: without a terminal, agree with YES=1.");
    return 1;
  }
  if (reached.migrates === true) {
    const { code, output } = asMigrator(root, file, engines, reached);
    say(output.trimEnd());
    return code ?? 1;
  }
  const { group = [] } = reached;
  const target = group.length === 0 ? reached.service : masterOf(group, askIn(engines));
  const container = engines.container(target);
  const engine = engines.of(target);
  return engine.interactive(dockerArguments(reached, container, isTerminal), isTerminal);
}

/** Runs a command in a service's container, which may be on a server that is lost. */
const askIn =
  (engines: Engines) =>
  (service: Service, ...command: string[]): string =>
    engines
      .of(service)
      .impatient()
      .capture("exec", service.container, ...command).stdout;

const isAccessCommand = (command: string): command is AccessCommand =>
  accessCommands.some((known) => known === command);

function dataChoice(text: string): DataChoice {
  if (text === "ask" || text === "keep" || text === "delete") return text;
  throw new UserError(`DATA: got '${text}', allowed: ask, keep, delete`);
}

try {
  process.exitCode = await main(process.cwd(), process.argv.slice(2));
} catch (error) {
  const isUsers = error instanceof UserError || (error instanceof TypeError && "code" in error);
  process.stderr.write(
    `${redError("error:")} ${isUsers ? error.message : error instanceof Error ? String(error.stack) : String(error)}\n`,
  );
  process.exitCode = 2;
}
