//! Opens pages in a headless Chromium, as a reader would.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headless_chrome::browser::default_executable;
use headless_chrome::browser::tab::point::Point;
use headless_chrome::protocol::cdp::Input::{
    DispatchMouseEvent, DispatchMouseEventTypeOption, MouseButton,
};
use headless_chrome::protocol::cdp::Network;
use headless_chrome::protocol::cdp::Page::CaptureScreenshotFormatOption;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

use crate::common::waiting::wait_for;

/// A Chromium; none, and a word about it, if there is none on this machine.
pub fn browser() -> Option<Browser> {
    let Ok(program) = default_executable() else {
        eprintln!("NOT TESTED in a browser: there is no Chromium here");
        return None;
    };
    let quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
    let options = LaunchOptions::default_builder()
        .path(Some(program))
        .sandbox(false)
        .window_size(Some((1400, 1000)))
        .idle_browser_timeout(Duration::from_secs(300))
        .args(quiet.iter().map(OsStr::new).collect())
        .build()
        .expect("options that fit");
    Some(Browser::new(options).expect("a Chromium that starts"))
}

/// A page that was opened from disk.
pub struct Page {
    tab: Arc<Tab>,
    /// Errors on the console, exceptions, and requests to anything but the page itself.
    complaints: Arc<Mutex<Vec<String>>>,
}

impl Page {
    /// Opens a file and waits until its charts are there.
    pub fn open(browser: &Browser, file: &Path) -> Self {
        let tab = browser.new_tab().expect("a tab");
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&complaints);
        let listen = move |event: &Event| {
            let complaint = match event {
                Event::RuntimeExceptionThrown(thrown) => {
                    format!("exception: {:?}", thrown.params.exception_details)
                }
                Event::RuntimeConsoleAPICalled(called) => {
                    format!("console: {:?}", called.params.args)
                }
                Event::LogEntryAdded(added) => format!("log: {:?}", added.params.entry),
                Event::NetworkRequestWillBeSent(sent) => {
                    let url = &sent.params.request.url;
                    if ["file:", "data:", "blob:"].iter().any(|scheme| url.starts_with(scheme)) {
                        return;
                    }
                    format!("request: {url}")
                }
                _ => return,
            };
            heard.lock().expect("nobody panicked").push(complaint);
        };
        tab.enable_runtime().expect("the protocol works");
        tab.enable_log().expect("the protocol works");
        let watch = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        tab.call_method(watch).expect("the protocol works");
        tab.add_event_listener(Arc::new(listen)).expect("the protocol works");
        let page = Page { tab, complaints };
        page.tab.navigate_to(&format!("file://{}", file.display())).expect("a page");
        page.wait_for("document.getElementById('main')?.getAttribute('aria-busy') === 'false'");
        assert_eq!(page.value("document.getElementById('main').dataset.state"), "ready");
        page
    }

    /// What an expression comes to in the page.
    pub fn value(&self, expression: &str) -> Value {
        let json = format!("JSON.stringify({expression}) ?? 'null'");
        let found = self.tab.evaluate(&json, false).unwrap_or_else(|error| {
            panic!("{expression}: {error}; {:?}", self.complaints.lock());
        });
        let text = found.value.unwrap_or_else(|| panic!("{expression} is nothing"));
        serde_json::from_str(text.as_str().expect("a text")).expect("JSON")
    }

    pub fn number(&self, expression: &str) -> f64 {
        self.value(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    /// Waits until an expression is true.
    pub fn wait_for(&self, expression: &str) {
        wait_for(|| (self.value(expression) == true).then_some(()), || expression.to_owned());
    }

    /// Clicks on an element.
    pub fn click(&self, selector: &str) {
        self.tab.find_element(selector).expect("an element").click().expect("a click");
    }

    fn mouse(&self, kind: DispatchMouseEventTypeOption, (x, y): (f64, f64), clicks: u32) {
        let (button, buttons) = match kind {
            DispatchMouseEventTypeOption::MouseMoved if clicks == 0 => (MouseButton::None, 0),
            DispatchMouseEventTypeOption::MouseReleased => (MouseButton::Left, 0),
            _ => (MouseButton::Left, 1),
        };
        let event = DispatchMouseEvent {
            Type: kind,
            x,
            y,
            button: Some(button),
            buttons: Some(buttons),
            click_count: Some(clicks),
            modifiers: None,
            timestamp: None,
            force: None,
            tangential_pressure: None,
            tilt_x: None,
            tilt_y: None,
            twist: None,
            delta_x: None,
            delta_y: None,
            pointer_Type: None,
        };
        self.tab.call_method(event).expect("the mouse moves");
    }

    /// Moves the mouse to a place in the window.
    pub fn hover(&self, (x, y): (f64, f64)) {
        self.tab.move_mouse_to_point(Point { x: x - 3.0, y }).expect("the mouse moves");
        self.tab.move_mouse_to_point(Point { x, y }).expect("the mouse moves");
    }

    /// Clicks on a point of a chart, which is at this place in the window. A chart takes a click for
    /// one on the point that it has found under the mouse before.
    pub fn click_on_point(&self, chart: &str, place: (f64, f64)) {
        self.hover(place);
        self.wait_for(&format!("{chart}._hoverdata?.length > 0"));
        self.mouse(DispatchMouseEventTypeOption::MousePressed, place, 1);
        self.mouse(DispatchMouseEventTypeOption::MouseReleased, place, 1);
    }

    /// Drags the mouse from one place in the window to another.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        self.hover(from);
        self.mouse(DispatchMouseEventTypeOption::MousePressed, from, 1);
        for step in 1..=5 {
            let share = f64::from(step) / 5.0;
            let place = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
            self.mouse(DispatchMouseEventTypeOption::MouseMoved, place, 1);
        }
        self.mouse(DispatchMouseEventTypeOption::MouseReleased, to, 1);
    }

    /// Scrolls an element into the middle of the window, and says where a point of a chart in it is:
    /// its axes' values in the window's pixels.
    pub fn place_of(&self, chart: &str, x: f64, y: f64) -> (f64, f64) {
        let script = format!(
            "(() => {{
                const chart = document.getElementById('{chart}');
                chart.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const {{ left, top }} = chart.getBoundingClientRect();
                const {{ xaxis, yaxis }} = chart._fullLayout;
                return [left + xaxis._offset + xaxis.l2p({x}), top + yaxis._offset + yaxis.l2p({y})];
            }})()"
        );
        let found = self.value(&script);
        (found[0].as_f64().expect("a number"), found[1].as_f64().expect("a number"))
    }

    /// Takes a picture of what is in the window, and makes sure that something is to be seen: how many
    /// pixels are not of the most frequent colour, as a fraction.
    pub fn ink(&self) -> f64 {
        let file = self
            .tab
            .capture_screenshot(CaptureScreenshotFormatOption::Png, None, None, true)
            .expect("a picture");
        let mut reader = png::Decoder::new(&file[..]).read_info().expect("a PNG file");
        let mut pixels = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut pixels).expect("pixels");
        let mut counts = std::collections::HashMap::new();
        let pixels = pixels[..info.buffer_size()].chunks(info.color_type.samples());
        let total = pixels.len();
        pixels.for_each(|pixel| *counts.entry(pixel.to_vec()).or_insert(0_usize) += 1);
        1.0 - counts.into_values().max().unwrap_or(0) as f64 / total as f64
    }

    /// Nobody complained, and nothing was asked of a network.
    pub fn assert_quiet(&self) {
        let complaints = self.complaints.lock().expect("nobody panicked");
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}
