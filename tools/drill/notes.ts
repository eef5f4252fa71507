/** What a drill notes while it runs, for its report. */
export interface NotedSpan {
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

export class Notes {
  readonly spans: NotedSpan[] = [];
  readonly facts: { readonly what: string; readonly value: string }[] = [];
  output = "";
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Notes how long work takes, also if it fails. */
  async during<Result>(label: string, work: () => Promise<Result>): Promise<Result> {
    const from = Date.now();
    try {
      return await work();
    } finally {
      const to = Date.now();
      this.spans.push({ label, from, to });
      this.#tell(`    ${label}: ${((to - from) / 1000).toFixed(1)} s`);
    }
  }

  fact(what: string, value: string): void {
    this.facts.push({ what, value });
  }
}
