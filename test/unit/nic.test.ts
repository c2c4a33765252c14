import { expect } from 'chai';
import { changeNic } from '../../src/libvirt/nic.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { childrenOf, parseXml } from '../../src/model/xml.ts';
import { uuidOf } from '../support/domain.ts';
import { refusalOf } from '../support/refused.ts';

const MAC = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as const;
const nic = (mac: string, type: string, source: string, more = '') =>
  `<interface type='${type}'><mac address='${mac}'/><source ${type}='${source}'/>${more}</interface>`;

const domain = (...nics: string[]) =>
  parseDomain(
    `<domain><name>vm1</name><uuid>${uuidOf('vm1')}</uuid><devices><disk/>${nics.join('')}</devices></domain>`,
  );

describe('nic', () => {
  it('of one, the source becomes the bridge, and all else stays', () => {
    const more =
      "<target dev='vnet3'/><model type='e1000'/><virtualport type='openvswitch'/><boot order='1'/><alias name='net0'/><address type='pci' slot='0x03'/>";
    const change = changeNic(domain(nic(MAC[0], 'network', 'default', more)), 'br116', undefined, undefined);
    if (change.kind !== 'update') throw new Error(change.kind);
    expect(change.mac).to.equal(MAC[0]);
    const device = parseXml(change.device);
    expect(device.attributes.get('type')).to.equal('bridge');
    expect(
      device.children.map(child => (typeof child === 'string' ? child : child.name)).sort(),
    ).to.deep.equal(['address', 'boot', 'mac', 'model', 'source']);
    expect([...(childrenOf(device, 'source')[0]?.attributes ?? [])]).to.deep.equal([['bridge', 'br116']]);
    expect(childrenOf(device, 'model')[0]?.attributes.get('type')).to.equal('e1000');
  });

  it('loses what an interface on a bridge can not have, and nothing else', () => {
    const more = [
      "<virtualport type='openvswitch'/><vlan><tag id='42'/></vlan><script path='/bin/x'/>",
      "<driver name='vfio' queues='2'/><backend type='passt' tap='/dev/net/tun'/><alias name='ua-mine'/>",
      "<bandwidth><inbound average='9' floor='2'/></bandwidth><teaming type='transient' persistent='ua-x'/>",
      "<port isolated='yes'/><target dev='mine' managed='no'/><novelty/>",
    ].join('');
    const change = changeNic(domain(nic(MAC[0], 'network', 'default', more)), 'br116', undefined, undefined);
    if (change.kind !== 'update') throw new Error(change.kind);
    expect([...change.lost].sort()).to.deep.equal([
      '<novelty>',
      '<script>',
      '<teaming>',
      '<virtualport>',
      '<vlan>',
      'floor="2" of <inbound>',
      'name="vfio" of <driver>',
      'type="passt" of <backend>',
    ]);
    for (const kept of [
      '<driver queues="2"/>',
      '<backend tap="/dev/net/tun"/>',
      '<alias name="ua-mine"/>',
      '<inbound average="9"/>',
      '<port isolated="yes"/>',
      '<target dev="mine"/>',
    ])
      expect(change.device).to.contain(kept);
  });

  it('that is on the bridge already, with what it can not have there, loses that', () => {
    const there = domain(nic(MAC[0], 'bridge', 'br116', "<vlan><tag id='42'/></vlan><model type='e1000'/>"));
    const change = changeNic(there, 'br116', undefined, undefined);
    expect(change).to.deep.include({ kind: 'update', mac: MAC[0], lost: ['<vlan>'] });
    const running = "<target dev='vnet3'/><alias name='net0'/><mac address='52:54:00:00:00:01'/>";
    expect(
      changeNic(domain(nic(MAC[0], 'bridge', 'br116', running)), 'br116', undefined, undefined),
    ).to.deep.equal({
      kind: 'none',
    });
  });

  it('that is a device of the host is refused', () => {
    const device = `<interface type='hostdev' managed='yes'><mac address='${MAC[0]}'/><driver name='vfio'/></interface>`;
    expect(refusalOf(() => changeNic(domain(device), 'br116', undefined, undefined))).to.equal(
      `Cannot put the interface ${MAC[0]} on br116: it is a device of the host's (hostdev); ` +
        'add one with virsh attach-interface, and name it with --nic MAC, or use --no-nic',
    );
  });

  it('that is on the bridge already stays, whichever it is of several', () => {
    const two = domain(nic(MAC[0], 'network', 'default'), nic(MAC[1], 'bridge', 'br116'));
    expect(changeNic(two, 'br116', undefined, undefined).kind).to.equal('none');
    expect(changeNic(two, 'br116', MAC[1], undefined).kind).to.equal('none');
    expect(changeNic(two, 'br116', MAC[0], undefined)).to.include({ kind: 'update', mac: MAC[0] });
  });

  it('is added where there is none', () => {
    const change = changeNic(domain(), 'br116', undefined, undefined);
    expect(change.kind).to.equal('attach');
    const { device, mac } = change as Extract<typeof change, { kind: 'attach' }>;
    expect(mac).to.match(/^52:54:00(:[0-9a-f]{2}){3}$/);
    expect(device)
      .to.contain('<source bridge="br116"/>')
      .and.contain('<model type="virtio"/>')
      .and.contain(mac);
  });

  it('comes back as the other description has it', () => {
    const whole = domain(
      nic(MAC[0], 'bridge', 'br116', "<model type='e1000'/><address type='pci' slot='0x03'/>"),
    );
    const other = nic(MAC[1], 'network', 'default');
    // It was detached: alone, or from beside another that isn't ours.
    const both = domain(nic(MAC[0], 'bridge', 'br116', "<model type='e1000'/>"), other);
    for (const [now, known] of [
      [domain(), whole],
      [domain(other), both],
    ] as const) {
      const change = changeNic(now, 'br116', undefined, known);
      expect(change).to.include({ kind: 'attach', mac: MAC[0] });
      const { device } = change as Extract<typeof change, { kind: 'attach' }>;
      expect(device).to.contain('<source bridge="br116"/>').and.contain('<model type="e1000"/>');
      expect(device).not.to.contain('address type');
    }
    // It was put elsewhere, or defined anew with another MAC.
    const elsewhere = domain(nic(MAC[0], 'network', 'default'), nic(MAC[1], 'network', 'default'));
    expect(changeNic(elsewhere, 'br116', undefined, whole)).to.include({ kind: 'update', mac: MAC[0] });
    expect(changeNic(domain(other), 'br116', undefined, whole)).to.include({ kind: 'update', mac: MAC[1] });
    expect(changeNic(whole, 'br116', undefined, domain()).kind).to.equal('none');
  });

  it('must be named where there are several', () => {
    const two = domain(nic(MAC[0], 'network', 'default'), nic(MAC[1], 'bridge', 'br0'));
    expect(refusalOf(() => changeNic(two, 'br116', undefined, undefined))).to.equal(
      `Cannot choose among 2 network interfaces (${MAC.join(', ')}): say which with --nic MAC, or --no-nic`,
    );
    expect(changeNic(two, 'br116', MAC[1], undefined)).to.include({ kind: 'update', mac: MAC[1] });
    const stranger = '52:54:00:00:00:09';
    expect(refusalOf(() => changeNic(two, 'br116', stranger, undefined))).to.equal(
      `Cannot use --nic "${stranger}": the domain's interfaces are ${MAC.join(', ')}`,
    );
    expect(refusalOf(() => changeNic(domain(), 'br116', stranger, undefined))).to.contain(
      "the domain's interfaces are none",
    );
  });
});
