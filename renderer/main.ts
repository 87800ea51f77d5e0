/** Starts the console: a client, the state, the page. */
import { mount } from 'svelte';
import App from './App.svelte';
import { Console } from './state/console.svelte.ts';
import './styles/tokens.css';
import './styles/ansi.css';
import './styles/base.css';
import { chooseClient } from './transport/choose-client.ts';

mount(App, { target: document.body, props: { console: new Console(chooseClient()) } });
