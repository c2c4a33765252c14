import { expect } from 'chai';
import { cloudInit } from '../../src/guest/cloud-init.ts';
import { seedFiles } from '../../src/guest/seed.ts';
import { networkFor, UUID } from './guest-fixture.ts';

const NETWORK = networkFor([['123.45.90.116']]);
const texts = (access: Parameters<typeof seedFiles>[3]) =>
  new Map(seedFiles(NETWORK, UUID, cloudInit, access).map(({ path, text }) => [path, text]));

describe('the NoCloud seed', () => {
  it('has the three files, and an instance id that no change of address changes', () => {
    const files = texts({});
    expect([...files.keys()]).to.deep.equal(['meta-data', 'user-data', 'network-config']);
    expect(files.get('meta-data')).to.equal(`instance-id: "${UUID}"\nlocal-hostname: "vm1"\n`);
    expect(files.get('user-data')).to.equal('#cloud-config\n');
    const moved = seedFiles(networkFor([['123.45.90.117']]), UUID, cloudInit, {});
    expect(moved[0]?.text).to.equal(files.get('meta-data'));
  });

  it('quotes the keys: a comment may hold anything', () => {
    expect(texts({ sshKeys: ['ssh-rsa AAAA "me": #1'] }).get('user-data')).to.equal(
      '#cloud-config\nssh_authorized_keys:\n  - "ssh-rsa AAAA \\"me\\": #1"\n',
    );
  });

  it('takes user-data as it is', () => {
    expect(texts({ userData: '#!/bin/sh\r\nid' }).get('user-data')).to.equal('#!/bin/sh\r\nid');
  });
});
