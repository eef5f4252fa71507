// Package upstream hands out the random provider.
package upstream

import (
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// Provider returns the provider.
func Provider() framework.Provider { return provider.New() }
