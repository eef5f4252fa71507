// Package upstream hands out the Docker provider.
package upstream

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// Provider returns the provider; version goes into its user agent.
func Provider(version string) *schema.Provider { return provider.New(version)() }
