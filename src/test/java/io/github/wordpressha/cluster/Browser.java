package io.github.wordpressha.cluster;

import static org.openqa.selenium.support.ui.ExpectedConditions.elementToBeClickable;
import static org.openqa.selenium.support.ui.ExpectedConditions.presenceOfElementLocated;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A person at a real browser (chromium, without a screen). Screenshots go to {@code target/screenshots}. */
public final class Browser implements AutoCloseable {

    private static final Path SCREENSHOTS = Path.of("target", "screenshots");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final By EDITOR = By.cssSelector("iframe[name=editor-canvas]");

    private final ChromeDriver driver;
    private final WebDriverWait wait;
    private final URI address;

    /** Opens a window of its own, without cookies. */
    public Browser(URI address) {
        this.address = address;
        var options = new ChromeOptions()
            .addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,1000");
        options.setBinary(program("chromium").orElseThrow().toFile());
        var service = new ChromeDriverService.Builder().usingDriverExecutable(program("chromedriver").orElseThrow().toFile()).build();
        this.driver = new ChromeDriver(service, options);
        this.wait = new WebDriverWait(driver, PATIENCE);
    }

    /** Whether there is a browser that can be driven (Debian: chromium, chromium-driver). */
    public static boolean isInstalled() {
        return program("chromium").isPresent() && program("chromedriver").isPresent();
    }

    private static Optional<Path> program(String name) {
        return Stream.of(System.getenv("PATH").split(":")).map(directory -> Path.of(directory, name)).filter(Files::isExecutable).findFirst();
    }

    /** Opens a page of the site, and keeps a picture of it. */
    public Browser open(String path, String screenshot) {
        driver.get(address + path);
        return keep(screenshot);
    }

    public void logIn(String user, String password) {
        driver.get(address + "/wp-login.php");
        driver.findElement(By.id("user_login")).sendKeys(user);
        driver.findElement(By.id("user_pass")).sendKeys(password);
        driver.findElement(By.id("wp-submit")).click();
        appears("#wpadminbar");
        keep("dashboard");
    }

    /** Writes a post in the block editor, uploads an image into it, and publishes it; returns its address. */
    String publish(String title, Path image) {
        driver.get(address + "/wp-admin/post-new.php");
        WebElement canvas = wait.until(presenceOfElementLocated(EDITOR));
        driver.findElements(By.cssSelector(".components-modal__screen-overlay button[aria-label=Close]")).forEach(WebElement::click);
        driver.switchTo().frame(canvas);
        WebElement heading = wait.until(elementToBeClickable(By.cssSelector(".wp-block-post-title")));
        heading.sendKeys(title, Keys.ENTER);
        driver.switchTo().activeElement().sendKeys("/image");
        driver.switchTo().defaultContent();
        appears(".components-autocomplete__result");
        driver.switchTo().frame(driver.findElement(EDITOR));
        driver.switchTo().activeElement().sendKeys(Keys.ENTER);
        appears(".wp-block-image input[type=file]").sendKeys(image.toAbsolutePath().toString());
        wait.until(any -> driver.findElements(By.cssSelector(".wp-block-image img")).stream()
            .map(one -> one.getDomAttribute("src"))
            .anyMatch(source -> source != null && source.contains("/wp-content/uploads/")));
        driver.switchTo().defaultContent();
        keep("editor");
        driver.findElement(By.cssSelector(".editor-post-publish-panel__toggle")).click();
        wait.until(elementToBeClickable(By.cssSelector(".editor-post-publish-panel .editor-post-publish-button"))).click();
        String link = appears(".post-publish-panel__postpublish-buttons a").getDomAttribute("href");
        keep("published");
        return Site.pathAndQuery(URI.create(link));
    }

    /** By the link in the bar at the top. */
    void logOut() {
        driver.get(driver.findElement(By.cssSelector("#wp-admin-bar-logout a")).getDomAttribute("href"));
        keep("logged-out");
    }

    /** Clicks, and waits for the page that the click leads to. */
    public void follow(String selector) {
        WebElement page = driver.findElement(By.tagName("html"));
        driver.findElement(By.cssSelector(selector)).click();
        wait.until(driver -> isReplaced(page));
    }

    private static boolean isReplaced(WebElement page) {
        try {
            page.isEnabled();
            return false;
        } catch (StaleElementReferenceException e) {
            return true;
        } catch (WebDriverException e) {
            // ChromeDriver's answer in the moment in which the document is replaced.
            if (e.getMessage().contains("does not belong to the document")) {
                return true;
            }
            throw e;
        }
    }

    public String text(String selector) {
        return appears(selector).getText();
    }

    String title() {
        return driver.getTitle();
    }

    boolean shows(String selector) {
        return !driver.findElements(By.cssSelector(selector)).isEmpty();
    }

    /** The widths, in pixels, that the page's pictures of this site's uploads have; a picture that could not be loaded has none: 0. */
    @SuppressWarnings("unchecked")
    List<Long> pictureWidths() {
        return (List<Long>) driver.executeScript(
            "return [...document.images].filter(one => one.src.includes('/wp-content/uploads/')).map(one => one.naturalWidth)");
    }

    /** What the browser itself complained about: scripts, policies, files that could not be loaded. */
    List<String> complaints() {
        return driver.manage().logs().get("browser").getAll().stream().map(entry -> entry.getLevel() + " " + entry.getMessage()).toList();
    }

    List<String> cookies() {
        return driver.manage().getCookies().stream().map(cookie -> cookie.getName()).toList();
    }

    private WebElement appears(String selector) {
        return wait.until(presenceOfElementLocated(By.cssSelector(selector)));
    }

    private Browser keep(String name) {
        try {
            Files.createDirectories(SCREENSHOTS);
            Files.write(SCREENSHOTS.resolve(name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is seen now, for whoever looks into a failure. */
    void keepFailure() {
        keep("failure");
    }

    @Override
    public void close() {
        driver.quit();
    }
}
