/** Lays a graph out with Graphviz and makes it an SVG or a PNG, with a style for light and one for dark surroundings. */
import { createRequire } from "node:module";
import { z } from "zod";
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { unescapeXml } from "../../common/xml.ts";

export type Theme = "light" | "dark";

/** Fonts with Arial's metrics, for which Graphviz measured the labels. */
const fonts = "Arial, Arimo, 'Liberation Sans', Helvetica, sans-serif";

interface Colours {
  readonly [name: string]: string;
}

const palettes: Readonly<Record<Theme, Colours>> = {
  light: {
    ...{ page: "#ffffff", text: "#1f2328", faint: "#59636e", line: "#59636e", location: "#d1d9e0", server: "#818b98" },
    ...{
      service: "#f6f8fa",
      data: "#ddf4ff",
      dataLine: "#0969da",
      outside: "#ffffff",
      visitor: "#0969da",
      copy: "#8250df",
    },
    ...{
      new: "#dafbe1",
      newLine: "#1a7f37",
      changed: "#fff8c5",
      changedLine: "#9a6700",
      gone: "#ffebe9",
      goneLine: "#cf222e",
    },
  },
  dark: {
    ...{ page: "#0d1117", text: "#f0f6fc", faint: "#9198a1", line: "#9198a1", location: "#3d444d", server: "#656c76" },
    ...{
      service: "#151b23",
      data: "#0c2d6b",
      dataLine: "#58a6ff",
      outside: "#0d1117",
      visitor: "#58a6ff",
      copy: "#ab7df8",
    },
    ...{
      new: "#12351d",
      newLine: "#3fb950",
      changed: "#3b2e0a",
      changedLine: "#d29922",
      gone: "#4c1418",
      goneLine: "#f85149",
    },
  },
};

/** The rules of a theme. Later rules win over earlier ones. */
function rules(theme: Theme): string {
  const colours = palettes[theme];
  const of = (name: string): string => {
    const colour = colours[name];
    if (colour === undefined) throw new Error(`The palette ${theme} has no colour ${name}.`);
    return colour;
  };
  const shape = (kind: string, fill: string, stroke: string, more = "") =>
    `.${kind}>path,.${kind}>polygon,.${kind}>ellipse{fill:${fill};stroke:${stroke};${more}}`;
  const arrow = (kind: string, colour: string) =>
    `.edge.${kind}>path{fill:none;stroke:${colour}}.edge.${kind}>polygon{fill:${colour};stroke:${colour}}`;
  return [
    `text{fill:${of("text")};font-family:${fonts}}`,
    // A rim in the page's colour keeps a server's name legible where an edge passes behind it.
    `.cluster text{stroke:${of("page")};stroke-width:3px;stroke-linejoin:round;paint-order:stroke}`,
    `.page{fill:${of("page")}}`,
    shape("location", "none", of("location")),
    shape("server", "none", of("server"), "stroke-width:1.3"),
    shape("keeper", "none", of("dataLine"), "stroke-width:1.6"),
    shape("service", of("service"), of("line")),
    shape("sometimes", of("service"), of("line"), "stroke-dasharray:3 2"),
    shape("outside", of("outside"), of("line")),
    shape("node.data", of("data"), of("dataLine"), "stroke-width:1.6"),
    shape("note", "none", "none"),
    arrow("data", of("line")),
    arrow("visitor", of("visitor")),
    arrow("copy", of("copy")),
    ...(["new", "changed", "gone"] as const).flatMap((change) => [
      shape(`node.${change}`, of(change), of(`${change}Line`)),
      shape(`cluster.${change}`, "none", of(`${change}Line`), change === "gone" ? "stroke-dasharray:5 3" : ""),
    ]),
    arrow("gone", of("goneLine")),
  ].join("\n");
}

/** The graph as an SVG that follows the reader's light or dark setting, or has one theme. The same input gives the same bytes. */
export async function toSvg(dot: string, theme?: Theme): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = withWidths(graphviz.dot(dot), widthsIn(graphviz.layout(dot, "json")));
  const style =
    theme === undefined ? `${rules("light")}\n@media (prefers-color-scheme: dark){\n${rules("dark")}\n}` : rules(theme);
  return withStyle(svg, style);
}

const drawnSchema = z.object({
  _ldraw_: z
    .array(
      z.object({
        op: z.string(),
        size: z.number().optional(),
        width: z.number().optional(),
        text: z.string().optional(),
        /** Bit 0: bold. */
        fontchar: z.number().optional(),
      }),
    )
    .default([]),
});
/** The part of Graphviz' JSON that says how texts are drawn. */
const layoutSchema = drawnSchema.extend({
  objects: z.array(drawnSchema).default([]),
  edges: z.array(drawnSchema).default([]),
});

/** By size, weight and text. */
const widthKey = (size: number, isBold: boolean, text: string): string => `${size} ${String(isBold)} ${text}`;

/** How wide Graphviz took each text to be. */
function widthsIn(json: string): ReadonlyMap<string, number> {
  const widths = new Map<string, number>();
  const layout = layoutSchema.parse(JSON.parse(json));
  for (const { _ldraw_: steps } of [layout, ...layout.objects, ...layout.edges]) {
    let size = 0;
    let isBold = false;
    for (const { op, text, width, ...step } of steps) {
      size = step.size ?? size;
      isBold = step.fontchar === undefined ? isBold : step.fontchar % 2 === 1;
      if (op === "T" && text !== undefined && width !== undefined) widths.set(widthKey(size, isBold, text), width);
    }
  }
  return widths;
}

/** Has every text take the width for which the graph was laid out: where none of the fonts exists, another may be wider. */
const withWidths = (svg: string, widths: ReadonlyMap<string, number>): string =>
  svg.replaceAll(/<text ([^>]*)>([^<]*)<\/text>/g, (whole, attributes: string, text: string) => {
    const size = Number(/font-size="([\d.]+)"/.exec(attributes)?.[1]);
    const width = widths.get(widthKey(size, attributes.includes('font-weight="bold"'), unescapeXml(text)));
    return width === undefined
      ? whole
      : `<text ${attributes} textLength="${width.toFixed(1)}" lengthAdjust="spacingAndGlyphs">${text}</text>`;
  });

/** Takes out what Graphviz writes about itself and its own fonts, and puts the style in, with a page behind the graph. */
function withStyle(svg: string, style: string): string {
  const from = svg.indexOf("<svg");
  const body = svg
    .slice(from)
    .replaceAll(/<!--[\s\S]*?-->\n?/g, "")
    .replaceAll(/<title>[\s\S]*?<\/title>\n?/g, "")
    .replaceAll(/ font-family="[^"]*"/g, "");
  return withEdgesBelow(body).replace(
    /<svg[^>]*>\n?/,
    (open) => `${open.trimEnd()}\n<style>\n${style}\n</style>\n<rect class="page" width="100%" height="100%"/>\n`,
  );
}

/** Draws edges before everything else, so that none crosses a label. */
function withEdgesBelow(svg: string): string {
  const edges = svg.match(/<g id="edge\d+"[\s\S]*?<\/g>\n/g) ?? [];
  const rest = edges.reduce((text, edge) => text.replace(edge, ""), svg);
  return rest.replace(/<g id="graph0"[^>]*>\n/, (open) => open + edges.join(""));
}

/** The SVG as a PNG, twice its size. */
export async function toPng(svg: string): Promise<Buffer> {
  const { Resvg } = await import("@resvg/resvg-js");
  const from = createRequire(import.meta.url);
  const fontFiles = ["400Regular/Arimo_400Regular.ttf", "700Bold/Arimo_700Bold.ttf"].map((file) =>
    from.resolve(`@expo-google-fonts/arimo/${file}`),
  );
  const picture = new Resvg(svg, {
    font: { fontFiles, loadSystemFonts: false, defaultFontFamily: "Arimo", sansSerifFamily: "Arimo" },
    fitTo: { mode: "zoom", value: 2 },
  });
  return picture.render().asPng();
}
