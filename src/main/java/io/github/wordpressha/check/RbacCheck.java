package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Subject;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Rights that nobody needs, nobody has, or everybody would have. */
public final class RbacCheck implements Check {

  private static final Set<String> VERBS = Set.of(
      "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "escalate", "impersonate", "approve", "sign");

  @Override
  public String rule() {
    return "rbac";
  }

  @Override
  public String description() {
    return "Rights are named one by one, every role is bound, and pods hold a token only if their account has rights.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    objects.all(Role.class).forEach(e -> rules(e.getKey(), e.getValue().getRules(), problems));
    objects.all(ClusterRole.class).forEach(e -> rules(e.getKey(), e.getValue().getRules(), problems));
    unbound(objects, problems);
    tokens(objects, problems);
    return problems;
  }

  private void rules(Manifest manifest, List<PolicyRule> rules, List<Problem> problems) {
    for (int i = 0; i < rules.size(); i++) {
      PolicyRule rule = rules.get(i);
      String path = "rules[" + i + "]";
      if (rule.getVerbs().contains("*") || rule.getResources().contains("*") || rule.getApiGroups().contains("*")) {
        problems.add(Problem.warning(rule(), manifest, path, "a wildcard grants more than anybody can review.", "Name what is needed."));
      }
      rule.getVerbs().stream().filter(v -> !v.equals("*") && !VERBS.contains(v)).forEach(v -> problems.add(
          Problem.error(rule(), manifest, path + ".verbs", "there is no verb \"" + v + "\".",
              io.github.wordpressha.manifest.Spelling.didYouMean(v, VERBS))));
      if (rule.getResources().contains("secrets") && rule.getResourceNames().isEmpty()
          && rule.getVerbs().stream().anyMatch(v -> !v.equals("create"))) {
        problems.add(Problem.warning(rule(), manifest, path,
            "it opens every Secret of the namespace: " + rule.getVerbs() + ".", "Name the Secrets in resourceNames."));
      }
    }
  }

  private void unbound(Objects objects, List<Problem> problems) {
    var bound = new HashSet<String>();
    objects.all(RoleBinding.class).forEach(e -> bound.add(e.getValue().getRoleRef().getKind() + "/" + e.getValue().getRoleRef().getName()));
    objects.all(ClusterRoleBinding.class).forEach(e -> bound.add("ClusterRole/" + e.getValue().getRoleRef().getName()));
    for (Manifest manifest : objects.manifests()) {
      boolean role = manifest.object() instanceof Role || manifest.object() instanceof ClusterRole;
      boolean aggregated = manifest.tree().has("aggregationRule")
          || manifest.tree().path("metadata").path("labels").toString().contains("rbac.authorization.k8s.io/aggregate-to-");
      if (role && !aggregated && !bound.contains(manifest.id())) {
        problems.add(Problem.warning(rule(), manifest, "", "nobody is bound to this role.", "Bind it or remove it."));
      }
    }
  }

  private void tokens(Objects objects, List<Problem> problems) {
    var entitled = new HashSet<String>();
    objects.all(RoleBinding.class).forEach(e -> accounts(e.getValue().getSubjects(), entitled));
    objects.all(ClusterRoleBinding.class).forEach(e -> accounts(e.getValue().getSubjects(), entitled));
    for (Workload workload : objects.workloads()) {
      String account = workload.pod().getServiceAccountName() == null ? "default" : workload.pod().getServiceAccountName();
      boolean mounts = mountsToken(objects, workload, account);
      String path = workload.podPath() + ".automountServiceAccountToken";
      if (mounts && !entitled.contains(account)) {
        problems.add(Problem.warning(rule(), workload.manifest(), path,
            "its pods hold a token of account \"" + account + "\", to which this release grants nothing.", "Set automountServiceAccountToken: false."));
      } else if (!mounts && entitled.contains(account)) {
        problems.add(Problem.error(rule(), workload.manifest(), path,
            "account \"" + account + "\" has rights, but the pods get no token to use them.", "Set automountServiceAccountToken: true."));
      }
    }
  }

  private static boolean mountsToken(Objects objects, Workload workload, String account) {
    Boolean pod = workload.pod().getAutomountServiceAccountToken();
    if (pod != null) {
      return pod;
    }
    Boolean own = objects.find(ServiceAccount.class, account).map(ServiceAccount::getAutomountServiceAccountToken).orElse(null);
    return own == null || own;
  }

  private static void accounts(List<Subject> subjects, Set<String> names) {
    subjects.stream().filter(s -> "ServiceAccount".equals(s.getKind())).forEach(s -> names.add(s.getName()));
  }
}
