/** Settings of a server's sshd, for its first boot and for later updates. Pure. */

/** Read before the distribution's own settings; for each keyword sshd takes the first value that it reads. */
export const sshdConfigFile = "/etc/ssh/sshd_config.d/10-orion.conf";

/**
 * Only keys log in. Of forwarding there is what the tools need: `make flower` forwards a port of the server to this machine.
 * An update opens a session for each container over one shared connection, and several connections while that one does not exist yet;
 * sshd's own limits would refuse them. Algorithms are those that `ssh-audit` finds no fault with and that OpenSSH has had since version 8.5 (2021).
 */
export const sshdConfig = `# Written by the Orion program; see docs/ssh.md.
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
PermitUserEnvironment no
MaxAuthTries 4
LoginGraceTime 30
MaxStartups 100:30:200
MaxSessions 100
ClientAliveInterval 30
AllowAgentForwarding no
AllowStreamLocalForwarding no
AllowTcpForwarding local
GatewayPorts no
PermitTunnel no
X11Forwarding no
LogLevel VERBOSE
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com
`;
