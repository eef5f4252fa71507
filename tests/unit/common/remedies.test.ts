import { forStack } from "../../../common/remedies.ts";

test.each([
  [
    "set it with: pulumi config set --secret sentryDsn",
    "set it with: npx pulumi config set --stack prod --secret sentryDsn",
  ],
  [
    "run npx pulumi up --replace '**::x', then npx pulumi up",
    "run npx pulumi up --stack prod --replace '**::x', then npx pulumi up --stack prod",
  ],
  [
    "npx pulumi config set protection false --stack prod, then",
    "npx pulumi config set protection false --stack prod, then",
  ],
  ["npx pulumi config set --path orion:a b -s prod, then", "npx pulumi config set --path orion:a b -s prod, then"],
  ["pulumi update is not a command of this list", "pulumi update is not a command of this list"],
])("%s", (message, expected) => {
  expect(forStack(message, "prod")).toBe(expected);
});

test("a command for a rehearsal names its project: without it the real stack would be changed", () => {
  const message = "npx pulumi config set --path 'orion:agreed[0]' app.image";
  expect(forStack(message, "prod", ".orion/cloud/main/stacks/prod")).toBe(
    "npx pulumi config set --stack prod -C .orion/cloud/main/stacks/prod --path 'orion:agreed[0]' app.image",
  );
});
