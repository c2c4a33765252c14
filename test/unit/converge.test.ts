import { expect } from 'chai';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { check, down, up } from '../../src/plan/walker.ts';
import { ip, run } from '../../src/resources/action.ts';
import {
  ABSENT,
  changed,
  type Finding,
  foreign,
  PRESENT,
  type Resource,
} from '../../src/resources/resource.ts';
import { FakeHost } from '../support/fake-host.ts';
import { refusalOf } from '../support/refused.ts';

/** A resource of one command each way. `alone`: no line of a batch, but a process of its own. */
function resource(label: string, finding: Finding = ABSENT, alone = true): Resource {
  const action = (verb: string) => (alone ? run([`${verb} ${label}`]) : ip(verb, label));
  return {
    key: label,
    label,
    probe: () => finding,
    up: () => [action('add')],
    down: () => [action('delete')],
  };
}

const abc = [resource('a'), resource('b'), resource('c')];

describe('converge', () => {
  it('brings up in order', () => {
    const host = new FakeHost();
    const done = up(abc, EMPTY_VIEW, host);
    expect(host.done).to.deep.equal(['+ add a', '+ add b', '+ add c']);
    expect(done.map(one => one.resource.label)).to.deep.equal(['a', 'b', 'c']);
  });

  it('runs no command for what is present, and one for what is changed', () => {
    const host = new FakeHost();
    const plan = [resource('a', PRESENT), resource('b', changed('it is blue')), resource('c', PRESENT)];
    expect(up(plan, EMPTY_VIEW, host).map(one => one.resource.label)).to.deep.equal(['b']);
    expect(host.done).to.deep.equal(['+ add b']);
    expect(up([resource('a', PRESENT)], EMPTY_VIEW, host)).to.deep.equal([]);
  });

  it("refuses somebody else's thing before anything runs", () => {
    const host = new FakeHost();
    const plan = [resource('a'), resource('b', foreign('it is theirs')), resource('c')];
    expect(refusalOf(() => up(plan, EMPTY_VIEW, host))).to.equal('Cannot set up b: it is theirs');
    expect(host.done).to.deep.equal([]);
  });

  it('stops at the first error, and takes down in reverse what it had brought up', () => {
    const host = new FakeHost(line => line === '+ add b');
    expect(refusalOf(() => up(abc, EMPTY_VIEW, host))).to.equal('Cannot add b');
    expect(host.done).to.deep.equal(['+ add a', '+ add b', '- delete b', '- delete a']);
  });

  it('takes down everything that a failed batch may have brought up, and no more', () => {
    const lines = ['a', 'b', 'c'].map(label => resource(label, ABSENT, false));
    const host = new FakeHost(line => line === '+ add b');
    refusalOf(() => up([...lines, resource('d')], EMPTY_VIEW, host));
    expect(host.done.filter(line => line.startsWith('-'))).to.deep.equal([
      '- delete c',
      '- delete b',
      '- delete a',
    ]);
  });

  it('leaves alone what was there before, when it takes down', () => {
    const host = new FakeHost(line => line === '+ add c');
    const plan = [resource('a', PRESENT), resource('b', changed('it is blue')), resource('c')];
    refusalOf(() => up(plan, EMPTY_VIEW, host));
    expect(host.done).to.deep.equal(['+ add b', '+ add c', '- delete c']);
  });

  it('says what it could not take down again', () => {
    const host = new FakeHost(line => ['+ add b', '- delete a'].includes(line));
    expect(refusalOf(() => up(abc, EMPTY_VIEW, host))).to.equal('Cannot add b; then Cannot delete a');
  });

  it('takes down in reverse, past errors, and tells all of them', () => {
    const host = new FakeHost(line => line !== '- delete b');
    expect(down(abc, EMPTY_VIEW, host)).to.deep.equal(['Cannot delete c', 'Cannot delete a']);
    expect(host.done).to.deep.equal(['- delete c', '- delete b', '- delete a']);
  });

  it('checks without running anything', () => {
    const plan = [resource('a', PRESENT), resource('b', changed('it is blue'))];
    expect(check(plan, EMPTY_VIEW).map(({ finding }) => finding)).to.deep.equal([
      PRESENT,
      changed('it is blue'),
    ]);
  });
});
