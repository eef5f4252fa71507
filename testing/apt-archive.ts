/** An archive of Debian packages on a server, with newer versions of packages that the server has: a rehearsal reaches no other. */

/** A package of this test's own, whose installation runs a command. */
export interface Probe {
  readonly version: string;
  /** @default - nothing */
  readonly whenInstalled?: string;
}

const folder = "/srv/archive";

/** Packs the installed files of a package and its own maintainer scripts as another version of it. */
const repack = `repack() {
  work=$(mktemp -d)
  chmod 0755 "$work"
  mkdir "$work/DEBIAN"
  dpkg -L "$1" | while read -r path; do
    if [ -f "$path" ] || { [ -L "$path" ] && [ ! -d "$path" ]; }; then echo "$path"; fi
  done | tar --create --absolute-names --files-from=- | tar --extract --directory="$work"
  for script in preinst postinst prerm postrm conffiles; do
    [ ! -e "/var/lib/dpkg/info/$1.$script" ] || cp -p "/var/lib/dpkg/info/$1.$script" "$work/DEBIAN/$script"
  done
  dpkg-query -s "$1" | sed '/^Status:/d; /^Config-Version:/d; /^Conffiles:/,/^[^ ]/{/^Conffiles:/d; /^ /d}' |
    sed "s/^Version:.*/Version: $2/" > "$work/DEBIAN/control"
  dpkg-deb -Znone --build "$work" "${folder}/$1_$2.deb" >/dev/null
  rm -r "$work"
}`;

const probeOf = ({ version, whenInstalled = "true" }: Probe): string => `
work=$(mktemp -d)
chmod 0755 "$work"
mkdir "$work/DEBIAN"
printf 'Package: orion-probe\\nVersion: ${version}\\nArchitecture: all\\nMaintainer: nobody <nobody@example.com>\\nDescription: probe\\n' > "$work/DEBIAN/control"
cat > "$work/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
${whenInstalled}
POSTINST
chmod 0755 "$work/DEBIAN/postinst"
dpkg-deb --build "$work" "${folder}/orion-probe_${version}.deb" >/dev/null
rm -r "$work"
`;

export interface ArchiveOptions {
  /** The installed one first, then those that the archive has for it. */
  readonly probes: readonly [Probe, ...Probe[]];
  /** Packages that the archive has in another version, as `name: version`. @default - none */
  readonly repacked?: Readonly<Record<string, string>>;
}

/** A script for a server: it makes the archive, installs the first probe, and names the archive as the only source of packages. */
export const archiveScript = ({ probes: [installed, ...newer], repacked = {} }: ArchiveOptions): string => `set -eu
rm -rf ${folder}
mkdir -p ${folder}
${repack}
${probeOf(installed)}
dpkg -s orion-probe >/dev/null 2>&1 || dpkg -i "${folder}/orion-probe_${installed.version}.deb" >/dev/null
${newer.map(probeOf).join("")}
${Object.entries(repacked)
  .map(([name, version]) => `repack ${name} ${version}\n`)
  .join("")}
cd ${folder}
for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo "deb [trusted=yes] file:${folder} ./" > /etc/apt/sources.list
apt-get -q update >/dev/null
`;
