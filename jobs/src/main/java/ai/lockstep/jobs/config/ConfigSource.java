package ai.lockstep.jobs.config;

import ai.lockstep.failure.LockstepException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * The configuration files of one run: a tree of {@code .yaml} files, where each folder is a group
 * and each file in it an option. Read once, so that a run sees its configuration as it was at the
 * start.
 */
public final class ConfigSource {

  /** Environment variable that names a folder to use instead of the bundled files. */
  public static final String FOLDER_VARIABLE = "LOCKSTEP_CONF";

  private static final String BUNDLED = "ai/lockstep/conf/";
  private static final String SUFFIX = ".yaml";

  private final String description;
  // Name without the suffix, such as decode/lockstep, to the file's text.
  private final TreeMap<String, String> files;

  private ConfigSource(String description, TreeMap<String, String> files) {
    this.description = description;
    this.files = files;
  }

  /**
   * What a command reads: the folder that {@link #FOLDER_VARIABLE} names or, without it, the files
   * in the application jar; on top of these the folder of {@code --config-dir}, whose files win
   * over files of the same name.
   */
  public static ConfigSource of(Optional<Path> configDir, Map<String, String> environment) {
    String folder = environment.getOrDefault(FOLDER_VARIABLE, "");
    ConfigSource base = folder.isEmpty() ? bundled() : folder(Path.of(folder));
    return configDir.map(ConfigSource::folder).map(top -> top.over(base)).orElse(base);
  }

  /** The files of a folder and its sub-folders. */
  public static ConfigSource folder(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw LockstepException.user(
          "Cannot read the configuration from %s: it is not a folder. Give the folder that holds config.yaml."
              .formatted(folder));
    }
    TreeMap<String, String> files = new TreeMap<>();
    try (Stream<Path> found = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) found.filter(Files::isRegularFile)::iterator) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        if (name.endsWith(SUFFIX)) {
          files.put(withoutSuffix(name), Files.readString(file));
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw LockstepException.environment(
          "Cannot read the configuration from %s: %s.".formatted(folder, e.getMessage()), e);
    }
    return new ConfigSource(folder.toString(), files);
  }

  /** The files that come in the application jar: plain spark-submit needs no folder. */
  public static ConfigSource bundled() {
    URL primary = ConfigSource.class.getClassLoader().getResource(BUNDLED + "config" + SUFFIX);
    if (primary == null) {
      throw new IllegalStateException("The application jar lacks " + BUNDLED);
    }
    try {
      if (primary.openConnection() instanceof JarURLConnection connection) {
        return new ConfigSource("the application jar", filesInJar(connection));
      }
      return folder(Path.of(URI.create(primary.toURI().toString())).getParent());
    } catch (IOException | URISyntaxException e) {
      throw LockstepException.environment(
          "Cannot read the configuration in the application jar: %s.".formatted(e.getMessage()), e);
    }
  }

  private static TreeMap<String, String> filesInJar(JarURLConnection connection)
      throws IOException {
    TreeMap<String, String> files = new TreeMap<>();
    // A jar opened for this purpose: closing the cached one would pull it from under others.
    connection.setUseCaches(false);
    try (JarFile jar = connection.getJarFile()) {
      for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
        JarEntry entry = entries.nextElement();
        String name = entry.getName();
        if (name.startsWith(BUNDLED) && name.endsWith(SUFFIX)) {
          try (InputStream in = jar.getInputStream(entry)) {
            files.put(
                withoutSuffix(name.substring(BUNDLED.length())),
                new String(in.readAllBytes(), StandardCharsets.UTF_8));
          }
        }
      }
    }
    return files;
  }

  private static String withoutSuffix(String name) {
    return name.substring(0, name.length() - SUFFIX.length());
  }

  /** These files and, where there is none of a name, those of {@code base}. */
  public ConfigSource over(ConfigSource base) {
    TreeMap<String, String> merged = new TreeMap<>(base.files);
    merged.putAll(files);
    return new ConfigSource(description + " and " + base.description, merged);
  }

  /** Where the files come from, for messages. */
  public String description() {
    return description;
  }

  /** The text of a file, named without its suffix: {@code decode/lockstep}. */
  Optional<String> read(String name) {
    return Optional.ofNullable(files.get(name));
  }

  /** Whether a folder of that name holds files, directly or below. */
  boolean isGroup(String name) {
    String next = files.ceilingKey(name + "/");
    return next != null && next.startsWith(name + "/");
  }

  /** The names of the options of a group, or of the primary files for the empty name; sorted. */
  List<String> options(String group) {
    String prefix = group.isEmpty() ? "" : group + "/";
    return files.keySet().stream()
        .filter(name -> name.startsWith(prefix) && name.indexOf('/', prefix.length()) < 0)
        .map(name -> name.substring(prefix.length()))
        .toList();
  }

  /** The groups at the top; sorted. */
  List<String> groups() {
    TreeSet<String> groups = new TreeSet<>();
    for (String name : files.keySet()) {
      if (name.indexOf('/') > 0) {
        groups.add(name.substring(0, name.indexOf('/')));
      }
    }
    return List.copyOf(groups);
  }
}
