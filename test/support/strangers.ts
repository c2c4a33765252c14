/** Other people's filters as they are found on hosts, and how to see that they are left alone. */

export interface Stranger {
  readonly script: string;
  /** Prints what its owner made: afterwards it must be the same, byte for byte. */
  readonly show: string;
}

const nft = (ruleset: string, ...tables: string[]): Stranger => ({
  script: `nft -f - <<'END'\n${ruleset}\nEND\n`,
  show: tables.map(table => `nft -s -a list table ${table}`).join('\n'),
});

const SAVE = "sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]/[0:0]/'";

export const STRANGERS: Readonly<Record<string, Stranger>> = {
  'a forward policy of drop': nft(
    'table inet filter { chain forward { type filter hook forward priority filter; policy drop; }\n}',
    'inet filter',
  ),
  'a chain that ends with a reject': nft(
    `table inet filter {
      chain input { type filter hook input priority filter; policy accept; }
      chain forward {
        type filter hook forward priority filter; policy accept;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iifname "wg0" accept
        reject with icmpx type admin-prohibited
      }
    }`,
    'inet filter',
  ),
  'a reject behind jumps and a verdict map': nft(
    `table inet zones {
      chain from_wan { tcp dport 22 accept; jump closing; }
      chain closing { counter reject; }
      chain forward {
        type filter hook forward priority filter + 5; policy accept;
        iifname vmap { "eth0" : jump from_wan, "wg0" : accept }
      }
    }`,
    'inet zones',
  ),
  "Docker's own tables": nft(
    `table ip docker-bridges {
      map filter-forward-in-jumps { type ifname : verdict; elements = { "docker0" : jump filter-forward-in__docker0 }; }
      chain filter-forward-in__docker0 { ct state established,related counter accept; counter drop comment "UNPUBLISHED PORT DROP"; }
      chain filter-FORWARD {
        type filter hook forward priority filter; policy drop;
        oifname vmap @filter-forward-in-jumps
      }
    }`,
    'ip docker-bridges',
  ),
  'iptables-nft with a FORWARD policy of DROP': {
    script: `iptables-nft -N DOCKER-USER
      iptables-nft -A DOCKER-USER -j RETURN
      iptables-nft -A FORWARD -j DOCKER-USER
      iptables-nft -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      iptables-nft -P FORWARD DROP`,
    show: `iptables-nft-save -t filter | ${SAVE}`,
  },
  'iptables-legacy with a FORWARD policy of DROP and a REJECT': {
    script: `iptables-legacy -A FORWARD -i docker0 -j ACCEPT
      iptables-legacy -A FORWARD -j REJECT --reject-with icmp-host-prohibited
      iptables-legacy -P FORWARD DROP`,
    show: `iptables-legacy-save -t filter | ${SAVE}`,
  },
  'a rule that asks a program which does not run, behind a goto': {
    script: `iptables-nft -N ASK
      iptables-nft -A FORWARD -i docker0 -g ASK
      iptables-nft -A FORWARD -m devgroup ! --src-group 0x7 -j NFQUEUE --queue-num 7`,
    show: `iptables-nft-save -t filter | ${SAVE}`,
  },
  'a host closed with nft': nft(
    `table inet filter {
      chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport 22 accept
        icmp type echo-request accept
      }
      chain output {
        type filter hook output priority filter; policy drop;
        ct state established,related accept
        udp dport { 53, 123 } accept
        icmp type { echo-request, echo-reply } accept
      }
    }`,
    'inet filter',
  ),
  'a host closed with iptables-nft': {
    script: `iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      iptables-nft -A INPUT -p icmp -j ACCEPT
      iptables-nft -P INPUT DROP`,
    show: `iptables-nft-save -t filter | ${SAVE}`,
  },
  'a host closed with iptables-legacy': {
    script: `iptables-legacy -A INPUT -p icmp -j ACCEPT
      iptables-legacy -A INPUT -j REJECT`,
    show: `iptables-legacy-save -t filter | ${SAVE}`,
  },
};

/** What libvirt sets up for a network of its own, and a table that sleeps: nothing of it concerns us. */
export const LIBVIRT = nft(
  `table ip libvirt_network {
    chain forward {
      type filter hook forward priority filter; policy accept;
      counter jump guest_cross
      counter jump guest_input
      counter jump guest_output
    }
    chain guest_cross { iifname "virbr0" oifname "virbr0" counter accept; }
    chain guest_input { oifname "virbr0" ip daddr 192.168.122.0/24 ct state established,related counter accept; oifname "virbr0" counter reject; }
    chain guest_output { iifname "virbr0" ip saddr 192.168.122.0/24 counter accept; iifname "virbr0" counter reject; }
  }
  table inet asleep {
    flags dormant;
    chain forward { type filter hook forward priority filter; policy drop; }
  }`,
  'ip libvirt_network',
  'inet asleep',
);

/** Drops that are meant for somebody: whoever put them there wants them to hold for our domains as well. */
export const BLOCKLIST = nft(
  `table inet filter {
    set banned { type ipv4_addr; elements = { 123.45.200.10 }; }
    chain forward {
      type filter hook forward priority filter; policy drop;
      ip saddr @banned drop
      tcp dport 25 drop
      iifname "br0" accept
    }
  }`,
  'inet filter',
);
