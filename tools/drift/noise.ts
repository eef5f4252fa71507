/** Known harmless differences that open no drift issue, each with its reason; none may hide an attack. Pure. */
import type { EngineChange } from "../engine-preview.ts";
import { types } from "../../policy/stateful.ts";

export interface Noise {
  readonly type: string;
  readonly action: EngineChange["action"];
  /** The change is noise when it is about these inputs and no others. @default - whatever it is about */
  readonly inputs?: readonly string[];
  /** Where it comes from, and why nobody has to act. */
  readonly why: string;
}

export const knownNoise: readonly Noise[] = [
  {
    type: types.image,
    action: "create",
    why: "Servers remove images that no container uses (orion-image-cleanup); the next update pulls what it needs.",
  },
];

/** The known noise that a change matches; undefined for a change that a person must look at. */
export const noiseOf = ({ type, action, inputs }: EngineChange, noise = knownNoise): Noise | undefined =>
  noise.find(
    (one) =>
      one.type === type &&
      one.action === action &&
      (one.inputs === undefined || (inputs.length > 0 && inputs.every((input) => one.inputs?.includes(input)))),
  );
