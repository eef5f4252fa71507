/** Adds the stack, and a rehearsal's project folder, to the `pulumi` commands in a message. Pure. */

const engineCommand = /(?:npx )?\bpulumi (config set|up)\b(?![^,;\n]* (?:--stack|-s) )/g;

/**
 * A message whose commands of the engine name the stack, so that they work as printed: in a fresh clone no stack is selected, and
 * elsewhere it may be another one.
 *
 * @param folder of the stack's Pulumi project. @default the one in which the command is given
 */
export const forStack = (message: string, stack: string, folder?: string): string =>
  message.replace(engineCommand, `npx pulumi $1 --stack ${stack}${folder === undefined ? "" : ` -C ${folder}`}`);
