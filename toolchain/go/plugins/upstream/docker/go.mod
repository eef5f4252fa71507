// The provider lies below internal/, which Go opens only to modules whose path begins with the upstream's.
module github.com/terraform-providers/terraform-provider-docker/upstream

go 1.26
