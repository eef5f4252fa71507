package main

import (
	"context"
	"fmt"

	tlsUpstream "github.com/hashicorp/terraform-provider-tls/upstream"
	"github.com/hetznercloud/terraform-provider-hcloud/hcloud"
	framework "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	dockerUpstream "github.com/terraform-providers/terraform-provider-docker/upstream"
	randomUpstream "github.com/terraform-providers/terraform-provider-random/upstream"
)

// kind is how an upstream provider is written, which decides how it is bridged.
type kind int

const (
	classic  kind = iota // on the Terraform SDK v2
	modern               // on the Terraform plugin framework
	combined             // some resources on the one, some on the other
)

// bridge says how an upstream provider becomes a Pulumi package of the same names as the one on npm.
type bridge struct {
	kind kind
	info func(ctx context.Context) tfbridge.ProviderInfo
}

var bridges = map[string]bridge{
	"docker": {classic, docker},
	"hcloud": {combined, hetzner},
	"random": {modern, random},
	"tls":    {modern, tls},
}

// describe completes what the bridge needs to know; metadata is what an earlier generation noted.
func (b bridge) describe(ctx context.Context, name, version string, metadata []byte) tfbridge.ProviderInfo {
	info := b.info(ctx)
	info.Name, info.Version = name, version
	info.MetadataInfo = tfbridge.NewProviderMetadata(metadata)
	return info
}

func hetzner(ctx context.Context) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		GitHubOrg: "hetznercloud",
		P:         framework.MuxShimWithPF(ctx, sdkv2.NewProvider(hcloud.Provider()), hcloud.NewPluginProvider()),
		Resources: map[string]*tfbridge.ResourceInfo{},
	}
	// Hetzner's identifiers are numbers, Pulumi's are strings.
	info.P.ResourcesMap().Range(func(key string, resource shim.Resource) bool {
		if id, ok := resource.Schema().GetOk("id"); ok && id.Type() != shim.TypeString {
			info.Resources[key] = &tfbridge.ResourceInfo{
				Fields: map[string]*tfbridge.SchemaInfo{"id": {Type: "string"}},
			}
		}
		return true
	})
	info.MustComputeTokens(tokens.SingleModule("hcloud_", "index", tokens.MakeStandard("hcloud")))
	info.SetAutonaming(255, "-")
	return info
}

func docker(context.Context) tfbridge.ProviderInfo {
	// The bridge would make these singular, or a default name of them.
	asItIs := func(name string) *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{Name: name} }
	info := tfbridge.ProviderInfo{
		GitHubOrg: "kreuzwerker",
		P:         sdkv2.NewProvider(dockerUpstream.Provider("4.6.0")),
		Config: map[string]*tfbridge.SchemaInfo{
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: "docker:index/serviceConfig:ServiceConfig"},
			"docker_image": {
				Tok:    "docker:index/remoteImage:RemoteImage",
				Fields: map[string]*tfbridge.SchemaInfo{"name": asItIs("name")},
			},
			"docker_container": {
				Tok: "docker:index/container:Container",
				// A container's name and its published ports cannot be had twice.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           asItIs("command"),
					"networks_advanced": asItIs("networksAdvanced"),
				},
			},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	info.SetAutonaming(255, "-")
	return info
}

func random(context.Context) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{GitHubOrg: "hashicorp", P: framework.ShimProvider(randomUpstream.Provider())}
	prefixed := func(module, name string) (string, error) {
		return tokens.MakeStandard("random")(module, fmt.Sprintf("Random%s", name))
	}
	info.MustComputeTokens(tokens.SingleModule("random_", "index", prefixed))
	return info
}

func tls(context.Context) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{GitHubOrg: "hashicorp", P: framework.ShimProvider(tlsUpstream.Provider())}
	info.MustComputeTokens(tokens.SingleModule("tls_", "index", tokens.MakeStandard("tls")))
	return info
}
