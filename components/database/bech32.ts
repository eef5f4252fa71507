/** Bech32 (BIP 173), the notation of the keys of `age`: a prefix, the data, and a checksum of both. Pure. */

const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;

/** @param prefix in lower case */
export function bech32(prefix: string, data: Uint8Array): string {
  const values = fiveBits(data);
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const sum = checksum([...expanded, ...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const digits = [25, 20, 15, 10, 5, 0].map((shift) => (sum >> shift) & 31);
  return `${prefix}1${[...values, ...digits].map((value) => letters.charAt(value)).join("")}`;
}

/** The bytes in groups of five bits; the last group is filled up with zeros. */
function fiveBits(data: Uint8Array): number[] {
  const bits = [...data].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((group) => Number.parseInt(group.padEnd(5, "0"), 2));
}

const checksum = (values: readonly number[]): number =>
  values.reduce((sum, value) => {
    const top = sum >> 25;
    const shifted = ((sum & 0x1ffffff) << 5) ^ value;
    return generator.reduce((mixed, mask, bit) => ((top >> bit) & 1 ? mixed ^ mask : mixed), shifted);
  }, 1);
