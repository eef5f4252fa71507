# The Hetzner resources of a plan, as bench/terraform/program.ts makes them: the same names, settings and dependencies.
terraform {
  required_providers {
    hcloud = { source = "hetznercloud/hcloud" }
  }
}

variable "public_key" { type = string }
variable "servers" {
  type = list(object({
    name = string, type = string, location = string, address = string, group = string, volume = number
  }))
}
variable "balancers" {
  type = list(object({ name = string, location = string, address = string, targets = list(string) }))
}

locals {
  servers = { for one in var.servers : one.name => one }
  volumes = { for name, one in local.servers : name => one if one.volume > 0 }
  groups  = toset([for one in var.servers : one.group])
  targets = merge([for one in var.balancers : { for name in one.targets : "${one.name}-${name}" => { balancer = one.name, server = name } }]...)
  ports   = merge([for one in var.balancers : { for port in [80, 443] : "${one.name}-${port}" => { balancer = one.name, port = port } }]...)
}

provider "hcloud" {
  poll_interval = "50ms"
  poll_function = "constant"
}

resource "hcloud_ssh_key" "bench" {
  name       = "bench"
  public_key = var.public_key
}

resource "hcloud_network" "bench" {
  name     = "bench"
  ip_range = "10.20.0.0/16"
}

resource "hcloud_network_subnet" "bench" {
  network_id   = hcloud_network.bench.id
  type         = "cloud"
  network_zone = "eu-central"
  ip_range     = "10.20.0.0/16"
}

resource "hcloud_firewall" "bench" {
  name = "bench"
  rule {
    direction  = "in"
    protocol   = "tcp"
    port       = "22"
    source_ips = ["0.0.0.0/0"]
  }
}

resource "hcloud_placement_group" "bench" {
  for_each = local.groups
  name     = each.key
  type     = "spread"
}

resource "hcloud_primary_ip" "bench" {
  for_each    = local.servers
  name        = each.key
  type        = "ipv4"
  location    = each.value.location
  auto_delete = false
}

resource "hcloud_server" "bench" {
  for_each           = local.servers
  name               = each.key
  server_type        = each.value.type
  image              = "debian-12"
  location           = each.value.location
  ssh_keys           = [hcloud_ssh_key.bench.id]
  firewall_ids       = [hcloud_firewall.bench.id]
  placement_group_id = hcloud_placement_group.bench[each.value.group].id
  public_net {
    ipv4         = hcloud_primary_ip.bench[each.key].id
    ipv6_enabled = false
  }
}

resource "hcloud_server_network" "bench" {
  for_each  = local.servers
  server_id = hcloud_server.bench[each.key].id
  subnet_id = hcloud_network_subnet.bench.id
  ip        = each.value.address
}

resource "hcloud_volume" "bench" {
  for_each = local.volumes
  name     = each.key
  size     = each.value.volume
  location = each.value.location
  format   = "ext4"
}

resource "hcloud_volume_attachment" "bench" {
  for_each  = local.volumes
  volume_id = hcloud_volume.bench[each.key].id
  server_id = hcloud_server.bench[each.key].id
}

resource "hcloud_load_balancer" "bench" {
  for_each           = { for one in var.balancers : one.name => one }
  name               = each.key
  load_balancer_type = "lb11"
  location           = each.value.location
}

resource "hcloud_load_balancer_network" "bench" {
  for_each         = { for one in var.balancers : one.name => one }
  load_balancer_id = hcloud_load_balancer.bench[each.key].id
  subnet_id        = hcloud_network_subnet.bench.id
  ip               = each.value.address
}

resource "hcloud_load_balancer_target" "bench" {
  for_each         = local.targets
  type             = "server"
  load_balancer_id = hcloud_load_balancer.bench[each.value.balancer].id
  server_id        = hcloud_server.bench[each.value.server].id
  use_private_ip   = true
  depends_on       = [hcloud_load_balancer_network.bench, hcloud_server_network.bench]
}

resource "hcloud_load_balancer_service" "bench" {
  for_each         = local.ports
  load_balancer_id = hcloud_load_balancer.bench[each.value.balancer].id
  protocol         = "tcp"
  listen_port      = each.value.port
  destination_port = each.value.port
}
