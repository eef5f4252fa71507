import { majorOf, minorOf, mountedDevices } from "../../../../../rehearsal/machines/docker/power-cut.ts";

const device = (major: number, minor: number) => (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);

const mountinfo = String.raw`
650 523 0:79 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a
660 650 254:0 /var/lib/docker/volumes/disk/_data /var/lib/docker rw,relatime - ext4 /dev/vda rw
671 650 7:3 / /mnt/HC_Volume_1 rw,relatime shared:40 - xfs /dev/loop3 rw
672 650 7:3 /postgresql /mnt/my\040data rw,relatime shared:40 - xfs /dev/loop3 rw
673 650 7:30 / /mnt/HC_Volume_2 rw,relatime shared:41 - ext4 /dev/loop30 rw
`;

test("only the file systems of a server's own Volumes are found, at all of their mount points", () => {
  expect(mountedDevices(mountinfo, [{ number: device(7, 3) }])).toEqual([
    { number: device(7, 3), path: "/mnt/HC_Volume_1" },
    { number: device(7, 3), path: "/mnt/my data" },
  ]);
  expect(mountedDevices(mountinfo, [])).toEqual([]);
  expect(mountedDevices(mountinfo, [{ number: device(7, 4) }])).toEqual([]);
});

test.each([
  [7, 3],
  [7, 300],
  [259, 70_000],
])("the device number of %d:%d is taken apart", (major, minor) => {
  expect([majorOf(device(major, minor)), minorOf(device(major, minor))]).toEqual([major, minor]);
});
