/** Configurations that can be read, and would cut off the host or every domain: which, and what is said of each. */
const pools = (...more: readonly string[]) => `pools = ${JSON.stringify(['123.45.90.112/29', ...more])}\n`;

export const BAD_CONFIGS: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
  'an uplink that does not exist': [
    `${pools()}uplink = "eth9"\n`,
    /hnet\.toml, line 2, key "uplink": "eth9" is no interface of this host, which has .*eth0.*lo/,
  ],
  'an uplink that leads nowhere': [
    `${pools()}uplink = "lo"\n`,
    /hnet\.toml, line 2, key "uplink": "lo": no route to the Internet leads out of it/,
  ],
  'a further uplink that does not exist': [
    `${pools()}uplink = "eth0"\n[[uplinks]]\ndevice = "gre9"\npools = ["198.18.7.0/26"]\n`,
    /hnet\.toml, line 4, key "uplinks\.device": "gre9" is no interface of this host, which has .*eth0.*lo/,
  ],
  "a pool over the uplink's own subnet": [
    pools('123.45.12.0/24'),
    /key "pools": .*the pool contains 123\.45\.12\.48, the host's or the gateway's own address/,
  ],
  'a pool over the gateway': [
    pools('123.45.12.0/29'),
    /key "pools": .*the pool contains 123\.45\.12\.1, the host's or the gateway's own address/,
  ],
  'scopes over the host and its gateway': [
    `${pools()}[dhcp]\nscopes = ["172.30.0.0/16", "123.45.0.0/16"]\n`.replace(
      '123.45.90.112/29',
      '203.0.113.0/29',
    ),
    /line 3, key "dhcp\.scopes": .*the scopes contain 123\.45\.12\.48, the host's or the gateway's own address/,
  ],
  'scopes over the gateway': [
    `${pools()}[dhcp]\nscopes = "123.45.12.0/28"\n`,
    /line 3, key "dhcp\.scopes": .*the scopes contain 123\.45\.12\.1, the host's or the gateway's own address/,
  ],
};
