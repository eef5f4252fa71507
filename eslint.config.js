import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", ".orion/", "sample-app/", "docs/", "coverage/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // An import of types only leaves nothing behind that Node.js would load.
      "@typescript-eslint/no-import-type-side-effects": "error",
      // A Pulumi component often exists only for the resources that its constructor registers.
      "no-new": "off",
    },
  },
  {
    files: ["**/*.js"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
  },
  {
    files: ["**/*.cjs"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      sourceType: "commonjs",
      globals: { process: "readonly", module: "readonly", require: "readonly" },
    },
    rules: { ...tseslint.configs.disableTypeChecked.rules, "@typescript-eslint/no-require-imports": "off" },
  },
  {
    // What a component makes depends on its arguments alone, so that a preview and an update cannot differ. Of a phase, it knows
    // the traits: what a phase is made of is known to config/presets.ts.
    files: ["components/**/*.ts", "topology/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        { name: "process", message: "Components and the topology read no environment." },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: [{ name: "node:process", message: "Components and the topology read no environment." }],
          patterns: [
            {
              regex: "(^|/)config/(load|own-keys|ssh-folder)\\.ts$",
              message: "Components and the topology read neither configuration nor keys: take them as arguments.",
            },
            {
              regex: "(^|/)config/presets\\.ts$",
              message: "Read a trait of the settings: phases are known to config/presets.ts.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["components/**/*.ts", "topology/**/*.ts"],
    // Labels at Hetzner name the phase.
    ignores: ["topology/naming.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...[
          "MemberExpression[computed=false][property.name='phase']",
          "MemberExpression[computed=true][property.value='phase']",
          "ObjectPattern > Property[computed=false][key.name='phase']",
          "ObjectPattern > Property[key.value='phase']",
        ].map((selector) => ({
          selector,
          message: "Read a trait of the settings: phases are known to config/presets.ts.",
        })),
      ],
    },
  },
);
