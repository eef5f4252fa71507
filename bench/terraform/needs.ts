/** The servers and load balancers that both configurations of the benchmark make. */
import type { Topology } from "../../topology/topology.ts";

export interface Needs {
  readonly servers: readonly {
    readonly name: string;
    readonly type: string;
    readonly location: string;
    /** In the private network. */
    readonly address: string;
    /** Placement group. */
    readonly group: string;
    /** GB of its Volume; 0: none. */
    readonly volume: number;
  }[];
  readonly balancers: readonly {
    readonly name: string;
    readonly location: string;
    readonly address: string;
    /** Names of servers. */
    readonly targets: readonly string[];
  }[];
}

/** Those of a plan. */
export const needsOfPlan = ({ servers, loadBalancers }: Topology): Needs => ({
  servers: servers.map(({ name, types, location, privateAddress, placementGroup, volumeGb }) => ({
    ...{ name, type: types[0] ?? "", location, address: privateAddress, group: placementGroup, volume: volumeGb },
  })),
  balancers: loadBalancers.map(({ name, location, privateAddress }) => ({
    ...{ name, location, address: privateAddress },
    targets: servers.filter(({ role }) => role === "app").map((server) => server.name),
  })),
});

/** App servers alone, ten in each placement group. */
export const appServers = (count: number): Needs => ({
  servers: Array.from({ length: count }, (_, index) => ({
    ...{ name: `app-${index + 1}`, type: "cx23", location: "nbg1", volume: 0 },
    address: `10.20.${2 + Math.floor(index / 200)}.${(index % 200) + 10}`,
    group: `app-${1 + Math.floor(index / 10)}`,
  })),
  balancers: [],
});
