# Every resource type of the provider that the emulated API serves; `round` 2 changes what can be changed, and lets go of what is protected.
terraform {
  required_providers {
    hcloud = { source = "hetznercloud/hcloud" }
  }
}

variable "round" { type = number }
variable "public_key" { type = string }
variable "certificate" { type = string }
variable "private_key" {
  type      = string
  sensitive = true
}

locals {
  second   = var.round == 2
  location = "fsn1"
  labels   = { stack = "probe", round = tostring(var.round) }
}

provider "hcloud" {
  poll_interval = "50ms"
  poll_function = "constant"
}

data "hcloud_location" "here" { name = local.location }
data "hcloud_server_type" "small" { name = "cx23" }
data "hcloud_load_balancer_type" "small" { name = "lb11" }
data "hcloud_image" "debian" {
  name              = "debian-12"
  with_architecture = "x86"
}

resource "hcloud_ssh_key" "probe" {
  name       = local.second ? "probe-2" : "probe"
  public_key = var.public_key
  labels     = local.labels
}

resource "hcloud_placement_group" "probe" {
  name   = "probe"
  type   = "spread"
  labels = local.labels
}

resource "hcloud_network" "probe" {
  name     = "probe"
  ip_range = "10.20.0.0/16"
  labels   = local.labels
}

resource "hcloud_network_subnet" "probe" {
  network_id   = hcloud_network.probe.id
  type         = "cloud"
  network_zone = data.hcloud_location.here.network_zone
  ip_range     = "10.20.1.0/24"
}

resource "hcloud_network_route" "probe" {
  network_id  = hcloud_network.probe.id
  destination = "10.99.0.0/16"
  gateway     = "10.20.1.2"
  depends_on  = [hcloud_network_subnet.probe]
}

resource "hcloud_firewall" "probe" {
  name   = "probe"
  labels = local.labels
  rule {
    direction   = "in"
    protocol    = "tcp"
    port        = "22"
    source_ips  = ["0.0.0.0/0", "::/0"]
    description = "ssh"
  }
  dynamic "rule" {
    for_each = local.second ? ["80-85"] : []
    content {
      direction  = "in"
      protocol   = "tcp"
      port       = rule.value
      source_ips = ["10.0.0.0/8"]
    }
  }
}

resource "hcloud_firewall" "attached" {
  name = "attached"
  rule {
    direction  = "in"
    protocol   = "icmp"
    source_ips = ["0.0.0.0/0"]
  }
}

resource "hcloud_firewall_attachment" "probe" {
  firewall_id = hcloud_firewall.attached.id
  # A server of this configuration would show it as a change of its own.
  label_selectors = local.second ? ["role=none", "role in (other)"] : ["role=none"]
}

resource "hcloud_primary_ip" "probe" {
  name        = "probe"
  type        = "ipv4"
  location    = local.location
  auto_delete = false
  labels      = local.labels
}

resource "hcloud_server" "probe" {
  name                     = local.second ? "probe-renamed" : "probe"
  server_type              = local.second ? "cx33" : data.hcloud_server_type.small.name
  keep_disk                = true
  image                    = data.hcloud_image.debian.name
  location                 = local.location
  ssh_keys                 = [hcloud_ssh_key.probe.id]
  user_data                = "#cloud-config\n{}\n"
  placement_group_id       = hcloud_placement_group.probe.id
  firewall_ids             = [hcloud_firewall.probe.id]
  backups                  = local.second
  shutdown_before_deletion = true
  labels                   = local.labels
  public_net {
    ipv4_enabled = true
    ipv4         = hcloud_primary_ip.probe.id
    ipv6_enabled = true
  }
}

resource "hcloud_server_network" "probe" {
  server_id = hcloud_server.probe.id
  subnet_id = hcloud_network_subnet.probe.id
  ip        = "10.20.1.10"
  alias_ips = local.second ? ["10.20.1.11", "10.20.1.12"] : ["10.20.1.11"]
}

resource "hcloud_rdns" "server" {
  server_id  = hcloud_server.probe.id
  ip_address = hcloud_server.probe.ipv4_address
  dns_ptr    = local.second ? "two.example.com" : "one.example.com"
}

resource "hcloud_volume" "probe" {
  name              = "probe"
  size              = local.second ? 20 : 10
  location          = local.location
  format            = "ext4"
  delete_protection = !local.second
  labels            = local.labels
}

resource "hcloud_volume_attachment" "probe" {
  volume_id = hcloud_volume.probe.id
  server_id = hcloud_server.probe.id
  automount = true
}

resource "hcloud_floating_ip" "probe" {
  name          = "probe"
  type          = "ipv4"
  home_location = local.location
  description   = local.second ? "second" : "first"
  labels        = local.labels
}

resource "hcloud_floating_ip_assignment" "probe" {
  floating_ip_id = hcloud_floating_ip.probe.id
  server_id      = hcloud_server.probe.id
}

resource "hcloud_uploaded_certificate" "probe" {
  name        = "probe"
  certificate = var.certificate
  private_key = var.private_key
  labels      = local.labels
}

resource "hcloud_load_balancer" "probe" {
  name               = "probe"
  load_balancer_type = local.second ? "lb21" : data.hcloud_load_balancer_type.small.name
  location           = local.location
  labels             = local.labels
  algorithm { type = local.second ? "least_connections" : "round_robin" }
}

resource "hcloud_load_balancer_network" "probe" {
  load_balancer_id = hcloud_load_balancer.probe.id
  subnet_id        = hcloud_network_subnet.probe.id
  ip               = "10.20.1.5"
}

resource "hcloud_load_balancer_service" "https" {
  load_balancer_id = hcloud_load_balancer.probe.id
  protocol         = "https"
  listen_port      = 443
  destination_port = 8080
  http {
    certificates    = [hcloud_uploaded_certificate.probe.id]
    sticky_sessions = local.second
    cookie_name     = "PROBE"
  }
  health_check {
    protocol = "http"
    port     = 8080
    interval = local.second ? 5 : 10
    timeout  = 3
    retries  = 2
    http {
      path         = "/health"
      status_codes = ["200"]
    }
  }
}

resource "hcloud_load_balancer_service" "tcp" {
  load_balancer_id = hcloud_load_balancer.probe.id
  protocol         = "tcp"
  listen_port      = 5432
  destination_port = 5432
  proxyprotocol    = local.second
}

resource "hcloud_load_balancer_target" "server" {
  load_balancer_id = hcloud_load_balancer.probe.id
  type             = "server"
  server_id        = hcloud_server.probe.id
  use_private_ip   = true
  depends_on       = [hcloud_load_balancer_network.probe, hcloud_server_network.probe]
}

resource "hcloud_load_balancer_target" "labels" {
  load_balancer_id = hcloud_load_balancer.probe.id
  type             = "label_selector"
  label_selector   = "role=app"
  use_private_ip   = true
  depends_on       = [hcloud_load_balancer_network.probe]
}
