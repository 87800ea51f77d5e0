/** Every agent that Unjam knows, the more special ones first. */
import type { Recogniser } from '../recogniser.ts';
import { ansible } from './ansible.ts';
import { ssm } from './aws-ssm.ts';
import { azure } from './azure.ts';
import { buildkite } from './buildkite.ts';
import { calamariSsh } from './calamari-ssh.ts';
import { codeDeploy } from './codedeploy.ts';
import { cron } from './cron.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { jenkins, jenkinsFreestyle } from './jenkins.ts';
import { serviceWrappers } from './service-wrapper.ts';
import { ssh } from './ssh.ts';
import { systemd } from './systemd.ts';
import { taskScheduler } from './task-scheduler.ts';
import { tentacle } from './tentacle.ts';

export const recognisers: readonly Recogniser[] = [
  tentacle,
  github,
  azure,
  jenkins,
  jenkinsFreestyle,
  buildkite,
  gitlab,
  ssm,
  codeDeploy,
  calamariSsh,
  ansible,
  cron,
  ssh,
  systemd,
  taskScheduler,
  serviceWrappers,
];
