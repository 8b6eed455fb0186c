// machines.mjs ADDRESS FOLDER
//
// A person at Cockpit's Machines page: looks at the list, starts, pauses, resumes and ends machines, looks at one
// closely, at its screen, its snapshots, at pools and networks. Prints a line for what was seen, leaves screenshots in
// FOLDER, and ends with status 1 at the first thing that is not as it should be.
import { chromium } from 'playwright-core';

const [address, folder] = process.argv.slice(2);
const PAGE = `${address}/cockpit/@localhost/machines/index.html`;
const PATIENCE = 30000;

const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
           '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1400, height: 1200 } });
page.setDefaultTimeout(PATIENCE);
const complaints = [];
page.on('console', message => {
    if (/action failed|GET_VM failed/.test(message.text()))
        complaints.push(message.text().slice(0, 400));
});

let picture = 0;
async function look(what) {
    picture++;
    await page.screenshot({ path: `${folder}/${String(picture).padStart(2, '0')}-${what}.png` });
    console.log(`seen: ${what}`);
}

async function expectText(selector, text) {
    await page.locator(selector, { hasText: text }).first().waitFor();
}

const machine = name => `#vm-${name}-system`;
const part = (name, what) => `#vm-${name}-${what}`; // on the page of that machine
const state = (name, text) => expectText(`${machine(name)}-state`, text);

async function act(name, action) {
    await page.locator(`${machine(name)}-action-kebab button`).first().click();
    await page.locator(`${machine(name)}-${action}`).first().click();
}

// Whether a canvas shows more than one colour.
async function showsSomething(canvas) {
    return canvas.evaluate(element => {
        const { width, height } = element;
        const data = element.getContext('2d').getImageData(0, 0, width, height).data;
        for (let i = 4; i < data.length; i += 4)
            if (data[i] !== data[0] || data[i + 1] !== data[1] || data[i + 2] !== data[2])
                return true;
        return false;
    });
}

async function seeScreen() {
    const canvas = page.locator('.pf-c-console__vnc canvas').first();
    await canvas.waitFor();
    const end = Date.now() + PATIENCE;
    while (!await showsSomething(canvas)) {
        if (Date.now() > end)
            throw new Error('the screen of the machine stays empty');
        await page.waitForTimeout(200);
    }
}

async function open(hash) {
    await page.goto(`${PAGE}#${hash}`);
}

async function seeList() {
    for (let tries = 0; ; tries++) {
        try {
            await open('');
            break;
        } catch (error) { // cockpit-ws is not there yet
            if (tries > 100)
                throw error;
            await page.waitForTimeout(100);
        }
    }
    await state('web', 'Shut off');
    await state('guest', 'Running');
    await look('list');
}

async function seeLife() {
    await page.locator(`${machine('web')}-run`).click();
    await state('web', 'Running');
    await look('running');
    await act('web', 'pause');
    await state('web', 'Paused');
    await look('paused');
    await act('web', 'resume');
    await state('web', 'Running');
}

async function seeMachine() {
    await open('vm?name=web&connection=system');
    await expectText(part('web', 'memory-count'), '128.0 MiB');
    await expectText(part('web', 'vcpus-count'), '1');
    await expectText(part('web', 'disks-vda-device'), 'disk');
    await expectText(part('web', 'network-1-source'), 'lab');
    await seeScreen();
    await look('machine');
}

async function seeSnapshot() {
    const add = page.locator(part('web', 'add-snapshot-button'));
    await add.scrollIntoViewIfNeeded();
    await add.click();
    await page.locator('#snapshot-create-dialog-name').fill('before');
    await look('snapshot-dialog');
    await page.locator('.pf-c-modal-box__footer button.pf-m-primary').click();
    await expectText(part('web', 'snapshot-0-name'), 'before');
    await look('snapshot');
    await page.locator(part('web', 'snapshot-0-revert')).click();
    await page.locator('.pf-c-modal-box__footer button.pf-m-primary').click();
    await page.locator('.pf-c-modal-box').waitFor({ state: 'detached' });
    await expectText(part('web', 'system-state'), 'Running');
    await remove('snapshot-0');
    await page.locator(part('web', 'snapshot-0-name')).waitFor({ state: 'detached' });
}

// What the page asks about before it does it.
async function remove(what) {
    await page.locator(`#delete-vm-web-${what}`).click();
    await page.locator('#delete-resource-modal-primary').click();
    await page.locator('#delete-resource-modal').waitFor({ state: 'detached' });
}

async function seeDisk() {
    await page.locator(part('web', 'disks-adddisk')).click();
    await page.locator(part('web', 'disks-adddisk-createnew')).click();
    await page.locator(part('web', 'disks-adddisk-new-select-pool')).selectOption('images');
    await page.locator(part('web', 'disks-adddisk-new-name')).fill('data');
    await page.locator(part('web', 'disks-adddisk-permanent')).click(); // of the definition, too
    await look('disk-dialog');
    await page.locator(part('web', 'disks-adddisk-dialog-add')).click();
    await expectText(part('web', 'disks-vdb-bus'), 'virtio');
    await page.locator(part('web', 'autostart-switch')).click({ force: true });
    await page.locator(`${part('web', 'autostart-switch')}:checked`).waitFor();
    await page.getByText(/^[1-9][0-9.]* \/ 128 MiB$/).waitFor(); // the numbers come after a revert, too
    await look('disk');
}

async function seeNoDisk() {
    await open('vm?name=web&connection=system');
    await expectText(part('web', 'disks-vdb-bus'), 'virtio');
    await page.locator(`${part('web', 'disks-vdb-action-kebab')} button`).first().click();
    await remove('disks-vdb');
    await page.locator(part('web', 'disks-vdb-bus')).waitFor({ state: 'detached' });
    await look('no-disk');
}

async function seeEnd() {
    await open('');
    await state('web', 'Running');
    await act('web', 'forceOff');
    await state('web', 'Shut off');
    await page.locator(`${machine('guest')}-shutdown-button`).click();
    await state('guest', 'Shut off');
    await look('ended');
}

async function seeResources() {
    await open('storages');
    await page.locator('tr:has-text("images") button').first().click();
    await page.getByText('Storage volumes').first().click();
    await page.getByText('web.qcow2').first().waitFor();
    await look('pools');
    await open('networks');
    await page.locator('tr:has-text("lab") button').first().click();
    await page.getByText('192.168.77.1').first().waitFor();
    await look('networks');
}

let status = 0;
try {
    await seeList();
    await seeLife();
    await seeMachine();
    await seeSnapshot();
    await seeDisk();
    await seeEnd();
    await seeNoDisk();
    await seeResources();
    if (complaints.length)
        throw new Error(`the page complained: ${complaints.join('; ')}`);
} catch (error) {
    console.error(error.message);
    console.error(complaints.join('\n'));
    console.error((await page.content()).match(/id="vm-[^"]*"/g));
    await look('failure');
    status = 1;
}
await browser.close();
process.exit(status);
