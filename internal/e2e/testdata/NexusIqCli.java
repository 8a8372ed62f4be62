import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * Stands in for nexus-iq-cli.jar: checks the arguments as its public
 * description has them, and ends as the test asks (NEXUS_IQ_STUB). It tells of
 * a wrong argument on standard error and exits with 2, as the client does.
 */
public class NexusIqCli {
	public static void main(String[] given) throws IOException {
		List<String> args = new ArrayList<>();
		for (String a : given) {
			if (a.startsWith("@")) {
				Path file = Path.of(a.substring(1));
				String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
				if (!mode.equals("rw-------")) {
					fail("the parameter file has mode " + mode);
				}
				args.addAll(Files.readAllLines(file));
			} else {
				if (a.contains("passcode")) {
					fail("a credential on the command line");
				}
				args.add(a);
			}
		}
		String result = null;
		String target = null;
		List<String> seen = new ArrayList<>();
		for (int i = 0; i < args.size(); i++) {
			String a = args.get(i);
			switch (a) {
				case "--server-url": expect(a, args.get(++i), "http://iq.example.com:8070"); break;
				case "--application-id": expect(a, args.get(++i), System.getenv("NEXUS_IQ_STUB_APPLICATION")); break;
				case "--authentication": expect(a, args.get(++i), "code:pass code \"$(id)\" passcode"); break;
				case "--stage": expect(a, args.get(++i), "stage-release"); break;
				case "--result-file": result = args.get(++i); break;
				default:
					if (a.startsWith("-") || target != null) {
						fail("an argument that is not known: " + a);
					}
					target = a;
					continue;
			}
			seen.add(a);
		}
		for (String needed : new String[] {"--server-url", "--application-id", "--authentication", "--stage", "--result-file"}) {
			if (!seen.contains(needed)) {
				fail(needed + " is missing");
			}
		}
		if (target == null || new File(target).length() == 0) {
			fail("no TAR to scan");
		}
		if (new File(result).exists()) {
			fail("an old result file");
		}
		end(System.getenv("NEXUS_IQ_STUB"), Path.of(result));
	}

	private static void end(String how, Path result) throws IOException {
		if (how.startsWith("busy")) {
			System.err.println("Error: java.net.SocketTimeoutException: Connect timed out");
			System.exit(2);
		}
		String[] part = how.split(" "); // policy action, exit status
		Files.writeString(result, "{\"applicationId\":\"x\",\"scanId\":\"1\",\"policyAction\":\"" + part[0]
			+ "\",\"policyEvaluationResult\":{\"criticalComponentCount\":3,\"severeComponentCount\":2,\"moderateComponentCount\":1}}");
		System.exit(Integer.parseInt(part[1]));
	}

	private static void expect(String option, String is, String want) {
		if (!is.equals(want)) {
			fail(option + " is " + is + ", not " + want);
		}
	}

	private static void fail(String why) {
		System.err.println("STUB: " + why);
		System.exit(2);
	}
}
