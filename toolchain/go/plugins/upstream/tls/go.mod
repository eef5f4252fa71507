// The provider lies below internal/, which Go opens only to modules whose path begins with the upstream's.
module github.com/hashicorp/terraform-provider-tls/upstream

go 1.26
