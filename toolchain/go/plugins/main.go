// Command plugins is every Pulumi resource plugin that the toolchain builds, in one program: most of what a plugin
// consists of is the same in each. It acts as the plugin whose name it was started by (pulumi-resource-<name>), with
// the schema, the bridge's metadata and the version that lie beside it, and writes those when asked to:
//
//	plugins generate <name> <version> <folder>
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	framework "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	frameworkGenerator "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
)

const prefix = "pulumi-resource-"

func main() {
	program := filepath.Base(os.Args[0])
	switch {
	case strings.HasPrefix(program, prefix):
		serve(strings.TrimPrefix(program, prefix))
	case len(os.Args) == 5 && os.Args[1] == "generate":
		generate(os.Args[2], os.Args[3], os.Args[4])
	default:
		fail("usage: %s generate <name> <version> <folder>, or start it as %s<name>", program, prefix)
	}
}

func serve(name string) {
	ctx := context.Background()
	executable, err := os.Executable()
	check(err)
	folder := filepath.Dir(executable)
	schema, err := os.ReadFile(filepath.Join(folder, "schema.json"))
	check(err)
	// Which resource is served by which half of a combined provider.
	metadata, err := os.ReadFile(filepath.Join(folder, "bridge-metadata.json"))
	check(err)
	version, err := os.ReadFile(filepath.Join(folder, "version"))
	check(err)

	bridge := find(name)
	info := bridge.describe(ctx, name, string(version), metadata)
	switch bridge.kind {
	case classic:
		tfbridge.Main(name, info.Version, info, schema)
	case modern:
		framework.Main(ctx, name, info, framework.ProviderMetadata{PackageSchema: schema})
	case combined:
		framework.MainWithMuxer(ctx, name, info, schema)
	}
}

func generate(name, version, folder string) {
	bridge := find(name)
	info := bridge.describe(context.Background(), name, version, []byte("{}"))
	// The generators read the command line themselves.
	os.Args = []string{os.Args[0], "schema", "--out", folder, "--skip-docs", "--skip-examples"}
	switch bridge.kind {
	case classic:
		tfgen.Main(name, version, info)
	case modern:
		frameworkGenerator.Main(name, info)
	case combined:
		frameworkGenerator.MainWithMuxer(name, info)
	}
	check(os.WriteFile(filepath.Join(folder, "version"), []byte(version), 0o644))
	// A project that the generators use as a work place.
	check(os.Remove(filepath.Join(folder, "Pulumi.yaml")))
}

func find(name string) bridge {
	found, ok := bridges[name]
	if !ok {
		names := make([]string, 0, len(bridges))
		for known := range bridges {
			names = append(names, known)
		}
		slices.Sort(names)
		fail("there is no plugin %q here; there are %s", name, strings.Join(names, ", "))
	}
	return found
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
