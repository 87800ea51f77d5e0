import { describe, expect, test } from 'vitest';
import { type ProcessIdentity, sameBoot, sameMachine, samePlace, sameProcess } from '../../app/domain/identity.ts';
import { machineIdFrom } from '../../app/processes/linux/proc.ts';

const linux: ProcessIdentity = {
  machine: 'build-07',
  machineId: '4c1f4a8e0b3d4f6aa0c9d2e1f3b5a796',
  bootId: 'a1b2',
  pidNamespace: 'pid:[4026531836]',
  pid: 17,
  startTime: '4711',
  startedAt: 1,
  name: 'bash',
};
const windows: ProcessIdentity = {
  ...linux,
  bootId: '1700000000',
  pidNamespace: 'host',
  startTime: '133444555666777888',
};
const asVersion01 = ({ machineId, ...rest }: ProcessIdentity): ProcessIdentity => {
  expect(machineId).toBeDefined();
  return rest;
};

describe('one machine', () => {
  test('is the one with the same id, whatever its name is now', () => {
    expect(sameMachine(linux, { ...linux, machine: 'renamed' })).toBe(true);
    expect(sameMachine(linux, { ...linux, machineId: 'other' })).toBe(false);
  });

  test('is known by its name to what version 0.1 wrote, in both directions: no hold is lost by the upgrade', () => {
    for (const one of [linux, windows]) {
      expect(sameProcess(one, asVersion01(one))).toBe(true);
      expect(sameProcess(asVersion01(one), one)).toBe(true);
    }
    expect(samePlace(windows, { ...asVersion01(windows), machine: 'other' })).toBe(false);
  });

  test('is the one with the same boot on Linux, though a container’s name changes while it runs', () => {
    expect(samePlace(linux, { ...asVersion01(linux), machine: 'renamed' })).toBe(true);
  });

  test('has an id of its own only outside of containers: an image gives all of them the same', () => {
    const id = '4c1f4a8e0b3d4f6aa0c9d2e1f3b5a796';
    expect(machineIdFrom('pid:[4026531836]', `${id}\n`)).toBe(id);
    expect(machineIdFrom('pid:[4026532204]', `${id}\n`)).toBeUndefined();
    for (const file of [null, '', '\n', 'uninitialized\n', 'x'.repeat(32)])
      expect(machineIdFrom('pid:[4026531836]', file)).toBeUndefined();
  });
});

describe('another start of the machine', () => {
  test('makes every earlier process another one on Linux', () => {
    expect(samePlace(linux, { ...linux, bootId: 'c3' })).toBe(false);
    expect(sameBoot(linux, { ...linux, bootId: 'c3' })).toBe(false);
  });

  test('is not concluded from a tick of the boot time that Windows calculates', () => {
    const later = { ...windows, bootId: '1700000001' };
    expect(sameBoot(windows, later)).toBe(true);
    expect(sameProcess(windows, later)).toBe(true);
    expect(sameBoot(windows, { ...windows, bootId: '1700000060' })).toBe(false);
    expect(sameBoot(windows, { ...windows, bootId: 'NaN' })).toBe(false);
  });

  test('needs no boot time on Windows: a pid with another creation time is another process', () => {
    expect(sameProcess(windows, { ...windows, startTime: '133444555666777889' })).toBe(false);
  });
});
