// Package upstream hands out the TLS provider.
package upstream

import (
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-provider-tls/internal/provider"
)

// Provider returns the provider.
func Provider() framework.Provider { return provider.New() }
